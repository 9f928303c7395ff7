"""Job: a training that a run's folder describes, so that it can resume, be evaluated, and predict."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_edu import TinygradError

from ..checks import is_real, shown
from ..container import MLP
from ..functional import cross_entropy, mse_loss
from ..runs import Checkpoint, latest
from ..runs.store import Store
from ..training.fit import fit
from ..training.history import History
from .examples import DIGITS, Examples, Source
from .plan import Plan, PlanError
from .scaling import Scaling
from .splits import SPLITS, splits

FORMAT = 1
NOTE = "command"  # the entry of the run's notes
KINDS = {DIGITS: "scikit-learn's digits", "images": "a folder of images", "table": "a CSV file"}


@dataclass(frozen=True)
class Job:
    """A training: the options, the examples and their scaling.

    Attributes:
        plan: the options.
        source: the source of the examples.
        kind: the kind of the source, when the run began.
        features, target, classes, image: as in the `Examples`.
        fingerprint: identifies the examples; see `Examples.fingerprint`.
        scaling: computed from the training examples.
    """

    plan: Plan
    source: Source
    kind: str
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    image: tuple[int, ...]
    fingerprint: dict[str, Any]
    scaling: Scaling

    @classmethod
    def of(cls, plan: Plan, source: Source, examples: Examples) -> Job:
        """A new job. Raises TinygradError if the examples cannot be divided into three splits."""
        scaling = Scaling.of(examples, splits(plan, examples)["training"])
        path = source.data if source.data == DIGITS else os.path.abspath(source.data)
        names = (examples.features, examples.target, examples.classes, examples.image)
        return cls(plan, replace(source, data=path), source.kind, *names, examples.fingerprint(), scaling)

    # -- In the run's notes --------------------------------------------------------------------------------------------

    def described(self) -> dict[str, Any]:
        """The job as data that JSON can hold."""
        source = {"data": self.source.data, "kind": self.kind}
        names = {"features": list(self.features), "target": self.target, "classes": list(self.classes)}
        arrays = {"image": list(self.image), "fingerprint": self.fingerprint, "scaling": self.scaling.described()}
        return {"format": FORMAT, "plan": self.plan.described(), "source": source, **names, **arrays}

    @classmethod
    def read(cls, run: str | os.PathLike[str]) -> tuple[Job, Checkpoint]:
        """The job of a run's folder, and its last checkpoint.

        Raises TinygradError if there is no run, or the command `train` did not begin it.
        """
        if last_epoch(run) is None:
            what = "has no checkpoint" if Path(run).is_dir() else "is no folder"
            raise TinygradError(f"{os.fspath(run)!r} {what}; expected the folder of a run")
        checkpoint = latest(run)
        notes = checkpoint.config.get("notes")
        if not isinstance(notes, dict) or NOTE not in notes:
            raise TinygradError(f"{os.fspath(run)!r} is the run of a program, not of this command; go on with it there")
        try:
            job = cls._from(notes[NOTE])
        except (PlanError, KeyError, TypeError, ValueError, AttributeError) as error:
            why = str(error) if isinstance(error, PlanError) else f"{type(error).__name__}: {error}"
            raise TinygradError(
                f"{os.fspath(run)!r}: the description in config.json is not what was written ({why})"
            ) from None

        sizes = job.plan.sizes(len(job.features), len(job.classes) or 1)
        shapes = [shape for fan_in, fan_out in pairwise(sizes) for shape in ((fan_out, fan_in), (fan_out,))]
        for weights in (checkpoint.weights, checkpoint.best or checkpoint.weights):
            if sorted(array.shape for array in weights.values()) != sorted(shapes):
                network = "-".join(map(str, sizes))
                raise TinygradError(
                    f"{os.fspath(run)!r}: the weights are of another network than {network}, which config.json has"
                )
        return job, checkpoint

    @classmethod
    def _from(cls, given: Any) -> Job:
        if given["format"] != FORMAT:
            raise ValueError(f"format {shown(given['format'])}, expected {FORMAT}")
        features, classes = _texts(given["features"]), _texts(given["classes"])
        target, data, kind = _texts([given["target"], given["source"]["data"], given["source"]["kind"]])
        scaling, image = given["scaling"], tuple(map(int, given["image"]))
        mean, scale = [np.array(scaling[name], dtype=np.float64) for name in ("mean", "scale")]
        ends = [scaling["target_mean"], scaling["target_scale"]]
        if not mean.shape == scale.shape == (1 if image else len(features),) or not all(map(is_real, ends)):
            raise ValueError("a scaling of other columns")
        if kind not in KINDS or not features or len(classes) == 1 or len(image) not in (0, 2):
            raise ValueError("examples that nothing can be learned from")
        fingerprint = {name: dict(given["fingerprint"][name]) for name in ("inputs", "targets")}
        if kind == "table":
            task = "classes" if classes else "numbers"
            source = Source(data, target, task=task, features=features, classes=classes)
        else:
            source = Source(data, classes=classes)
        plan, scaled = Plan.of(given["plan"]), Scaling(mean, scale, *ends)
        return cls(plan, source, kind, features, target, classes, image, fingerprint, scaled)

    # -- Examples ------------------------------------------------------------------------------------------------------

    def examples(self, data: str | None = None) -> tuple[Examples, bool]:
        """The examples of the source, or of `data`; and whether they equal those at the start of the run.

        Raises TinygradError if those of the source have changed, or those of `data` lack columns of the run.
        """
        source = self.source if data is None else replace(self.source, data=data)
        if source.data != DIGITS and not os.path.exists(source.data):
            remedy = "; pass --data if it has moved" if data is None else ""
            raise TinygradError(f"{source.data!r}: there is no such file or folder{remedy}")
        if source.kind != self.kind:
            raise TinygradError(f"{source.data!r}: got {KINDS[source.kind]}, expected {KINDS[self.kind]}")
        examples = source.read()
        if examples.image != self.image:
            raise TinygradError(f"{examples.title}: got images of {examples.image} pixels, expected {self.image}")
        found = examples.fingerprint()
        if data is None and found != self.fingerprint:
            changed = [name for name in found if found[name] != self.fingerprint[name]]
            got, expected = [
                " and ".join([f"{name} {tuple(of[name]['shape'])}" for name in changed])
                for of in (found, self.fingerprint)
            ]
            what = f"got {got}, expected {expected}" if got != expected else f"other {' and '.join(changed)}"
            raise TinygradError(
                f"{examples.title} has changed since the run began: {what}; restore it, or begin another run"
            )
        return examples, found == self.fingerprint

    # -- The model -----------------------------------------------------------------------------------------------------

    def model(self) -> MLP:
        """A new model."""
        return self.plan.model(len(self.features), len(self.classes) or 1)

    def trained(self, checkpoint: Checkpoint) -> tuple[MLP, int]:
        """The model with the best weights so far, or the last if the best are not kept; and their epoch.

        Raises TinygradError if the weights do not fit the model.
        """
        model, best = self.model(), checkpoint.best
        model.load_state_dict(checkpoint.weights if best is None else best)
        epoch = checkpoint.epoch if best is None else checkpoint.state["watch"]["history"]["best_epoch"]
        return model.eval(), int(epoch)

    def train(
        self, examples: Examples, run: str | os.PathLike[str], epochs: int | None = None, resume: bool = False
    ) -> tuple[MLP, History]:
        """Begin or resume the run, up to the given number of epochs; see `fit`.

        Raises PlanError for epochs after the schedule's end.
        """
        plan = self.plan
        if epochs is not None and epochs > plan.epochs and plan.schedule == "cosine":
            got = f"{epochs} with a cosine schedule, which ends at epoch {plan.epochs}"
            raise PlanError(f"--epochs: got {got}; begin another run")
        model, divided = self.model(), splits(plan, examples)
        optimizer = plan.optimizer_of(model)
        inputs, targets = self.scaling.inputs(examples.inputs), self.scaling.targets(examples)
        training, validation = [(inputs[divided[name]], targets[divided[name]]) for name in SPLITS[:2]]
        history = fit(
            model,
            training,
            optimizer,
            loss=cross_entropy if self.classes else mse_loss,
            penalty=plan.penalty_of(),
            epochs=plan.epochs if epochs is None else epochs,
            batch_size=plan.batch_size,
            rng=plan.generators()[2],
            validation=validation,
            patience=plan.patience or None,
            on_epoch=plan.schedule_of(optimizer),
            clip_norm=plan.clip_norm,
            run=run,
            resume=resume,
            save_every=plan.save_every,
            notes=None if resume else {NOTE: self.described()},
        )
        return model, history


def last_epoch(run: str | os.PathLike[str]) -> int | None:
    """The epoch of a run's last checkpoint; None if the folder has no run."""
    epochs = Store(Path(run)).epochs()
    return epochs[-1] if epochs else None


def _texts(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(x, str) for x in given):
        raise ValueError(f"{shown(given)}, expected texts")
    return tuple(given)
