"""Nothing here is collected without PyTorch: without it there is nothing to compare with."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["*"]
