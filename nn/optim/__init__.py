"""Optimisers: each file opens with its update rule. Schedules of the learning rate are in `lr_scheduler`."""

from . import lr_scheduler
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .lbfgs import LBFGS
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD
from .tracing import Trace, trace

__all__ = ["LBFGS", "SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "Trace", "lr_scheduler", "trace"]
