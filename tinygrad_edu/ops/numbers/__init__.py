"""Elementwise operations: number by number, with NumPy broadcasting."""
