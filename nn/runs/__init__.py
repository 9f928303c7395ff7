"""Runs: training in a folder, which goes on after the end of its process at any moment."""

from .checkpoint import Checkpoint, latest
from .fingerprint import configuration
from .run import NoRun, Run, opened
from .state import Training

__all__ = ["Checkpoint", "NoRun", "Run", "Training", "configuration", "latest", "opened"]
