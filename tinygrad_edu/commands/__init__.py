"""The commands of `python -m tinygrad_edu`: a file for each family; app and output hold the shared code."""
