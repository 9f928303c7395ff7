"""Jobs: the trainings of the command line, described by plain data from the source of the examples to the optimiser."""
