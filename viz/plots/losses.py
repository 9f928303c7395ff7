"""losses: a gallery of losses, each as a function of one number, with its derivative."""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import cos, sin, stack

from ..arguments import refusing
from ..drawing import RenderError
from ..text import plain
from .field import Limits, limits, real
from .panels import Panel, draw
from .style import Theme, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOGIT, PROBABILITY = "logit, target 1", "probability, target 1"
PREDICTION = "prediction, target "
RELATIVE = ("msle_loss", "mape_loss")  # not defined for each prediction and target
OWN = "score of the true class, other 0"


@refusing()
def losses(
    *functions: Callable[..., Any] | str,
    target: float | None = None,
    xlim: Limits | None = None,
    theme: Theme = "light",
) -> Figure:
    """Draw losses of one prediction, each with its derivative, by the rules of the op table.

    Each panel says what varies and what the target is. Losses that agree for a single number, such as the mean and the sum
    of squared errors, share a panel; losses of several scores are drawn for two, one of which varies.

    Args:
        functions: of nn.functional, such as mse_loss, or names; none for all, or with `target` or `xlim` those of an error.
        target: of losses of a prediction, such as mse_loss; None for 0, of losses that are not defined there for 1.
        xlim: predictions from where to where, of the same losses; None for 3 or less to either side of the target.
        theme: "light" or "dark".

    Returns:
        the Figure, a panel for each loss.

    Raises RenderError for another function or an unknown name, for a target or limits of a loss that is not of a prediction, or
    without matplotlib.

    >>> viz.losses().savefig("losses.svg")  # doctest: +SKIP
    >>> viz.losses("mse_loss", "l1_loss", "huber_loss")  # doctest: +SKIP
    >>> viz.losses("l1_loss", "mse_loss", target=100, xlim=(-10_000, 10_000))  # doctest: +SKIP
    """
    from nn import functional

    aim = None if target is None else real("losses", "target", target)
    panels = _panels(aim, None if xlim is None else limits("losses", "xlim", xlim))
    known = [name for panel in panels for name in panel.title.split(", ")]
    names = [next((name for name in known if getattr(functional, name) is f), f) for f in functions]
    if unknown := [name for name in names if name not in known]:
        raise RenderError(f"losses: got {plain(repr(unknown[0]))}, expected some of {', '.join(known)}")
    chosen = [next(p for p in panels if name in p.title.split(", ")) for name in names]
    if target is not None or xlim is not None:
        predicted = [panel for panel in panels if panel.argument.startswith(PREDICTION)]
        if others := [panel.title for panel in chosen if panel not in predicted]:
            known = [panel.title for panel in predicted]
            raise RenderError(f"losses: got {others[0]} with target or xlim, which are for {', '.join(known)}")
        panels = [panel for panel in predicted if panel.title not in RELATIVE]
    return draw("losses", list(dict.fromkeys(chosen)) or panels, theme, 6, None)


def _panels(target: float | None = None, xlim: Limits | None = None) -> list[Panel]:
    """All losses as functions of one number; those of a prediction with this target, between these limits."""
    from nn import functional

    def against(target: float, loss: Callable[..., Any]) -> Callable[[Any], Any]:
        return lambda x: loss(x, np.full(np.shape(x), target), reduction="none")

    def predicted(title: str, default: float = 0.0, low: float = -3.0, high: float = 3.0) -> Panel:
        aim = default if target is None else target
        across = (aim - default + low, aim - default + high) if xlim is None else xlim
        loss = getattr(functional, title.split(", ")[0])
        return Panel(title, against(aim, loss), across, f"{PREDICTION}{shown(aim)}")

    def scores(loss: Callable[..., Any]) -> Callable[[Any], Any]:
        return lambda x: loss(stack([x, 0 * x], axis=1), np.zeros(np.shape(x), int), reduction="none")

    def by_mean(mean: Any) -> Any:
        return functional.gaussian_nll_loss(mean, np.zeros(np.shape(mean)), np.ones(np.shape(mean)), reduction="none")

    def by_angle(angle: Any) -> Any:
        x, y = stack([cos(angle), sin(angle)], axis=1), np.tile([1.0, 0.0], (np.size(angle), 1))
        return functional.cosine_embedding_loss(x, y, np.ones(np.shape(angle)), reduction="none")

    def ranked(lead: Any) -> Any:
        return functional.margin_ranking_loss(lead, 0 * lead, np.ones(np.shape(lead)), reduction="none")

    def by_distance(x: Any) -> Any:
        anchor, unlike = np.zeros((np.size(x), 1)), np.full((np.size(x), 1), 1.5)
        return functional.triplet_margin_loss(anchor, stack([x], axis=1), unlike, reduction="none")

    def labels(loss: Callable[..., Any], *own: int) -> Callable[[Any], Any]:
        return lambda x: loss(stack([x, 0 * x], axis=1), np.tile(own, (np.size(x), 1)), reduction="none")

    around, positive, below = (-3.0, 3.0), (0.02, 3.0), (-4.0, 0.0)  # a log probability is at most 0
    return [
        predicted("mse_loss, sse_loss"),
        predicted("half_mse_loss"),
        predicted("l1_loss, sae_loss, rmse_loss"),
        predicted("huber_loss, smooth_l1_loss"),
        predicted("log_cosh_loss"),
        Panel("gaussian_nll_loss", by_mean, around, "mean, variance 1, target 0"),
        Panel("poisson_nll_loss", against(2, functional.poisson_nll_loss), around, "logarithm of the rate, target 2"),
        predicted("msle_loss", 1, -0.6, 4),
        predicted("mape_loss", 1, -1, 3),
        Panel("binary_cross_entropy", against(1, functional.binary_cross_entropy), (0.1, 1.0), PROBABILITY),
        Panel(
            "binary_cross_entropy_with_logits",
            against(1, functional.binary_cross_entropy_with_logits),
            (-4.0, 4.0),
            LOGIT,
        ),
        Panel("cross_entropy", scores(functional.cross_entropy), (-4.0, 4.0), "logit of the right class, other 0"),
        Panel("nll_loss", scores(functional.nll_loss), below, "log probability of the right class"),
        Panel("kl_div", against(0.5, functional.kl_div), below, "log probability, target 0.5"),
        Panel("hinge_loss", against(1, functional.hinge_loss), around, "score, target 1"),
        Panel("soft_margin_loss", against(1, functional.soft_margin_loss), around, "score, target 1"),
        Panel("margin_ranking_loss", ranked, around, "lead of the first score, target 1"),
        Panel("multi_margin_loss", scores(functional.multi_margin_loss), around, "score of the right class, other 0"),
        Panel("multilabel_margin_loss", labels(functional.multilabel_margin_loss, 0, -1), around, OWN),
        Panel("multilabel_soft_margin_loss", labels(functional.multilabel_soft_margin_loss, 1, 0), around, OWN),
        Panel(
            "triplet_margin_loss, triplet_margin_with_distance_loss",
            by_distance,
            positive,
            "distance of the like, 1.5 of the unlike",
        ),
        Panel("hinge_embedding_loss", against(-1, functional.hinge_embedding_loss), positive, "distance, target −1"),
        Panel("cosine_embedding_loss", by_angle, (-pi, pi), "angle between the vectors, target 1"),
    ]
