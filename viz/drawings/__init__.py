"""Drawings of expressions, layers, neurons and the chain rule: plain data, see viz/drawing.py."""
