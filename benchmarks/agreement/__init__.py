"""Every op beside PyTorch: `python -m benchmarks.agreement`. Forward, first and second gradient, on the calls of the op's tests."""
