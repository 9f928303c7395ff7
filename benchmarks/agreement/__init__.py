"""This engine's ops beside PyTorch's: one row an op, results and gradients to be compared."""
