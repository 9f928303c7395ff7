"""Jobs: trainings that plain data describes, from where the examples are to the optimiser; what the command line runs."""
