"""What fit records of epochs and steps, and its table and the summary's as text and HTML."""

from html.parser import HTMLParser

import numpy as np
import pytest

import nn
import viz
from nn.tables import Table

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 4)), RNG.integers(0, 3, 40)


def fit(epochs=3, **options):
    m = nn.MLP((4, 8, 3), rng=0)
    optimizer = nn.optim.SGD(m.parameters(), lr=0.1)
    if options.pop("halving", False):
        options |= {"on_step": nn.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)}
    return nn.fit(m, (X, Y), optimizer, **{"epochs": epochs, "batch_size": 16, "progress": False} | options)


def test_every_step_has_its_loss_its_rate_and_its_time():
    m = nn.MLP((4, 8, 3), rng=0)
    optimizer = nn.optim.SGD(m.parameters(), lr=0.1)
    losses, rates = [], []
    for _ in range(2):
        for x, y in nn.batches(X, Y, batch_size=16):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(m(x), y)
            loss.backward()
            losses.append(loss.item())
            rates.append(optimizer.lr)
            optimizer.step()
            optimizer.lr *= 0.5
    history = fit(2, halving=True)
    assert list(history.steps["loss"]) == losses
    assert list(history.steps["rate"]) == rates
    assert history.epochs == {"rate": [rates[2], rates[5]]}
    assert len(history.seconds["step"]) == 6
    assert len(history.seconds["epoch"]) == 2
    assert min(*history.seconds["step"], *history.seconds["epoch"]) > 0
    assert sum(history.seconds["epoch"]) > sum(history.seconds["step"])
    assert np.asarray(history.steps["loss"]).shape == (6,)


@pytest.mark.parametrize(
    "options", [{"gradient_norm": True}, {"clip_norm": 1e-3}, {"gradient_norm": True, "clip_value": 1e-5}]
)
def test_gradient_norms_are_those_before_clipping(options):
    m = nn.MLP((4, 8, 3), rng=0)
    nn.functional.cross_entropy(m(X[:16]), Y[:16]).backward()
    norm = np.sqrt(sum(np.sum(p.grad**2) for p in m.parameters()))
    history = fit(2, **options)
    assert len(history.steps["gradient_norm"]) == 6
    assert history.steps["gradient_norm"][0] == pytest.approx(norm, rel=1e-12)
    means = [np.mean(history.steps["gradient_norm"][:3]), np.mean(history.steps["gradient_norm"][3:])]
    assert history.epochs["gradient_norm"] == pytest.approx(means)
    plain = fit(2)
    assert "gradient_norm" not in plain.steps
    assert "gradient_norm" not in plain.epochs


def test_norms_and_losses_are_aligned_where_a_step_is_left_out():
    m, labels = nn.MLP((4, 8, 3), rng=0), Y.copy()
    labels[16:32] = -100
    optimizer = nn.optim.SGD(m.parameters(), lr=0.1)
    history = nn.fit(m, (X, labels), optimizer, epochs=1, batch_size=16, gradient_norm=True, progress=False)
    norms = np.asarray(history.steps["gradient_norm"])
    assert np.isnan(norms).tolist() == np.isnan(history.steps["loss"]).tolist() == [False, True, False]
    assert history.epochs["gradient_norm"] == [np.nanmean(norms)]


def test_lbfgs_records_the_norm_where_its_step_begins():
    m = nn.Linear(4, 3, rng=0)
    nn.functional.cross_entropy(m(X), Y).backward()
    norm = np.sqrt(sum(np.sum(p.grad**2) for p in m.parameters()))
    options = {"batch_size": None, "gradient_norm": True, "progress": False}
    history = nn.fit(m, (X, Y), nn.optim.LBFGS(m.parameters(), max_iter=3), epochs=2, **options)
    assert history.steps["gradient_norm"][0] == pytest.approx(norm, rel=1e-12)
    assert history.epochs["gradient_norm"] == list(history.steps["gradient_norm"])


def test_recording_norms_changes_no_weight():
    one, two = fit(gradient_norm=True), fit()
    assert one.curves == two.curves


def test_histories_are_compared_without_their_times():
    assert fit() == fit()
    assert fit(2) != fit(3)


def test_accumulated_batches_are_one_step():
    history = fit(1, accumulate=2)
    assert len(history.steps["loss"]) == 2


class Cells(HTMLParser):
    """The rows of an HTML table; tags must be closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.rows += [[]] if tag == "tr" else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("th", "td"):
            self.rows[-1].append(data)


def test_a_history_is_a_table_of_its_epochs():
    history = fit(validation=(X, Y), patience=2, gradient_norm=True)
    rows = Cells(history._repr_html_()).rows
    assert rows[0] == [
        "epoch",
        "train loss",
        "validation loss",
        "validation accuracy",
        "rate",
        "gradient norm",
        "seconds",
    ]
    assert len(rows) == 4
    assert rows[3][0] == "* 3"
    assert rows[1][1] == f"{history.curves['train_loss'][0]:.4g}"
    assert rows[1][4] == "0.1"
    text = str(history)
    assert all(cell in text for row in rows for cell in row)
    assert f"3 epochs, best * 3: validation loss {min(history.curves['validation_loss']):.4g}" in text
    assert repr(history) == f"<History: 3 epochs, best 3: validation loss {min(history.curves['validation_loss']):.4g}>"


def test_of_many_epochs_the_first_and_the_last_are_shown():
    for epochs, shown in ((24, 24), (25, 25), (100, 25)):
        history = nn.History({"train_loss": [1.0 / (i + 1) for i in range(epochs)]}, best_epoch=epochs)
        rows = Cells(history._repr_html_()).rows[1:]
        assert len(rows) == shown
        assert (rows[0][0], rows[-1][0]) == ("1", f"* {epochs}")
        assert (["..."] in [row[:1] for row in rows]) == (epochs > 24)
    assert repr(nn.History()) == "<History: 0 epochs>"
    assert "0 epochs" in str(nn.History())
    ended = nn.History({"a": [1.0]}, 1, stopped_early=True, interrupted=True)
    assert repr(ended) == "<History: 1 epoch, best 1, stopped early, interrupted>"


def test_names_are_text_not_markup():
    history = nn.History({"<b>[red]x": [1.0]})
    assert "&lt;b&gt;[red]x" in history._repr_html_()
    assert "<b>[red]x" in str(history)


def test_curves_are_drawn_as_ever():
    history = fit(validation=(X, Y), penalty=lambda m: nn.functional.l2_penalty(m, 0.1))
    assert len(viz.curves(history).axes) == 3  # loss, accuracy, penalty
    assert viz.curves(history, "loss").lines


def test_a_summary_is_a_table_in_a_notebook():
    m = nn.MLP((4, 8, 3), rng=0)
    m[0].freeze()
    summary = m.summary(X)
    rows = Cells(summary._repr_html_()).rows
    assert rows[0] == ["layer", "output", "parameters", "share"]
    assert rows[2] == ["  0: Linear(4, 8)", "(40, 8)", "40", "59.7%"]
    assert rows[-1][-1] == "67"
    assert "40 of the parameters are frozen" in summary._repr_html_()
    assert "40 of the parameters are frozen" in str(summary)


def test_a_table_without_rows_or_footer():
    assert Cells(Table(("a", "b"), [])._repr_html_()).rows == [["a", "b"]]
