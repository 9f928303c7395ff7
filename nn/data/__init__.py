"""Data: reading it, splitting it, and serving it in batches."""

from .batching import batches
from .idx import idx, mnist
from .splitting import k_fold, split, stratified_k_fold, stratified_split

__all__ = ["batches", "idx", "k_fold", "mnist", "split", "stratified_k_fold", "stratified_split"]
