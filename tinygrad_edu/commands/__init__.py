"""The commands of `python -m tinygrad_edu`: a file for each family, and what they share in app and output."""
