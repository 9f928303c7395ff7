"""matplotlib without windows; figures are closed after each test."""

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def figures_closed():
    from matplotlib import pyplot as plt

    yield plt
    plt.close("all")
