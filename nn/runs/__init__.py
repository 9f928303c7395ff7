"""Runs: training in a folder, which survives the end of its process at any moment."""
