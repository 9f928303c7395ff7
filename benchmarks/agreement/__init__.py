"""Our ops beside PyTorch's: a row per op, compared on the samples of the registry."""
