"""Runs: training with checkpoints in a folder, which can resume after its process ends at any moment; see `nn.fit(run=...)`."""

from .checkpoint import Checkpoint, latest

__all__ = ["Checkpoint", "latest"]
