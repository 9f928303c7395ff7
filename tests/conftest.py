"""What tests of several files need: pytest within pytest, for the plugin's tests, a registry to define ops in, plots in memory."""

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

from tinygrad_edu import registry

pytest_plugins = ["pytester"]
# A busy machine is slow, which is no fault of a strategy.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
os.environ["MPLBACKEND"] = "Agg"  # matplotlib draws in memory, on a display or without


@pytest.fixture
def temporary():
    """Ops defined in a test go when it ends."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


@pytest.fixture(autouse=True)
def figures_close():
    """matplotlib warns of many open figures."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
