"""Gradient checkers side by side: which wrong gradients they catch, which right ones they reject, and how long they take."""
