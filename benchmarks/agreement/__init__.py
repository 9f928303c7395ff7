"""Every op beside PyTorch, `python -m benchmarks.agreement`: forward, first and second gradient, on its own tests' calls."""
