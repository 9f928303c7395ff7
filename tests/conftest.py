"""pytester runs pytest inside of a test, for the tests of the plugin."""

pytest_plugins = ["pytester"]
