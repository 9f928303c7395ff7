"""What tests of several files need: pytest within pytest, for the plugin's tests, and a registry to define ops in."""

import pytest

from tinygrad_edu import registry

pytest_plugins = ["pytester"]


@pytest.fixture
def temporary():
    """Ops defined in a test go when it ends."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)
