"""Runs: training in a folder, which goes on after the end of its process at any moment; see `nn.fit(run=...)`."""

from .checkpoint import Checkpoint, latest

__all__ = ["Checkpoint", "latest"]
