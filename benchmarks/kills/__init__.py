"""Runs that are killed: training that goes on from a checkpoint ends with the same bytes."""
