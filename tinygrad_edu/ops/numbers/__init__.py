"""Elementwise operations, with NumPy broadcasting."""
