"""train, resume, evaluate and predict: a network that learns from a file, in a run's folder."""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import TinygradError
from .app import TRAIN_EXAMPLE, app
from .options import TrainCommand, described, sizes
from .output import fail, on_one_line, say, show

if TYPE_CHECKING:  # nn takes a while to import, and help does not need it
    from nn import History
    from nn.jobs.examples import Examples
    from nn.jobs.job import Job

COMMAND = "python -m tinygrad_edu"
MANY = 20  # classes that a table shows

TRAIN_HELP = f"""Train a network, in a folder from which it can go on, be evaluated, and predict.

Learns from 70% of the examples, looks after each epoch at 10%, and holds 20% back for evaluate.
Inputs are scaled to mean 0 and variance 1, by the training examples.

Examples:

\b
{TRAIN_EXAMPLE}
  python -m tinygrad_edu train --data iris.csv --target species --hidden 16
  python -m tinygrad_edu train --data houses.csv --ignore id --penalty 0.01
  python -m tinygrad_edu train --data mnist/ --optimizer sgd --lr 0.05

A CSV file has a header with the names of its columns, and numbers but for the target. A target of text is classes, as is one of
whole numbers of which at most 20 are different; other numbers are predicted as such. --task says it otherwise.
A folder has files of MNIST's names: train-images-idx3-ubyte and so on, plain or gzipped.

Ctrl-C is safe: resume goes on after the last checkpoint, by default that of the last whole epoch.

Exit codes: 0 done, 1 something is wrong with the data or the run, 2 an option was refused, 130 interrupted by Ctrl-C."""

RESUME_HELP = """Go on with an interrupted run, to the weights that it would have had.

Finished runs go on with more epochs, unless patience ended them.

Examples:

\b
  python -m tinygrad_edu resume runs/digits
  python -m tinygrad_edu resume runs/digits --epochs 60

Exit codes: as of train."""

EVALUATE_HELP = """Evaluate a run on the examples that were held back from training, or on others.

Uses the weights of the best epoch so far, by the validation loss; with --patience 0 those of the last.

Examples:

\b
  python -m tinygrad_edu evaluate runs/digits
  python -m tinygrad_edu evaluate runs/iris --data more.csv

Exit codes: 0 done, 1 something is wrong with the data or the run, 2 an option was refused."""

PREDICT_HELP = """Predict the target of new examples, by a run.

FILE is a CSV file with the columns that the run learned from, in any order; of a run on a folder of images it is an IDX file.
Prints CSV: a line for each example, with the prediction and, of classes, its probability.

Examples:

\b
  python -m tinygrad_edu predict runs/iris new.csv
  python -m tinygrad_edu predict runs/iris new.csv --out predictions.csv

Exit codes: 0 done, 1 something is wrong with the file or the run, 2 an option was refused."""

RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="The run's folder.", show_default=False)]


@app.command(help=TRAIN_HELP, cls=TrainCommand)
def train(
    ctx: typer.Context,
    data: Annotated[str, described("Data", "digits (scikit-learn's), a CSV file, or a folder.", "DATA")],
    target: Annotated[str | None, described("Data", "Column to learn; the last if left out.", "COLUMN")] = None,
    ignore: Annotated[list[str] | None, described("Data", "Column to leave out; repeat.", "COLUMN")] = None,
    task: Annotated[str, described("Data", "What the target is: classes, numbers or auto.", "KIND")] = "auto",
    run: Annotated[str | None, described("Run", "Folder of the run; runs/ and DATA's name if left out.", "RUN")] = None,
) -> None:
    """Train a network; see TRAIN_HELP."""
    folder = os.path.join("runs", Path(data).stem or Path(data).absolute().name) if run is None else run
    with _reported():
        from nn.jobs.examples import Source
        from nn.jobs.job import Job, last_epoch
        from nn.jobs.plan import Plan

        plan = Plan.of(ctx.obj | {"hidden": sizes(ctx.obj["hidden"])})
        if last_epoch(folder) is not None:
            remedy = f"go on with it by {_command('resume', folder)}, or name another with --run"
            raise TinygradError(f"{folder!r} is a run already; {remedy}")
        examples = Source(data, target, tuple(ignore or ()), task).read()
        job = Job.of(plan, Source(data), examples)
        _describe(job, examples)
    _train(job, examples, folder)


@app.command(help=RESUME_HELP)
def resume(
    run: RunFolder,
    epochs: Annotated[int | None, typer.Option(metavar="N", min=1, help="Up to this epoch.")] = None,
    data: Annotated[str | None, typer.Option(metavar="DATA", help="Where the examples are, if they moved.")] = None,
) -> None:
    """Go on with a run; see RESUME_HELP."""
    with _reported():
        from nn.jobs.job import Job

        job, checkpoint = Job.read(run)
        examples, same = job.examples(data)
        if not same:
            raise TinygradError(f"{examples.title}: these are not the examples that the run began with")
        _describe(job, examples)
        say(f"resumed after epoch {checkpoint.epoch}")
    _train(job, examples, run, epochs, after=checkpoint.epoch)


@app.command(help=EVALUATE_HELP)
def evaluate(
    run: RunFolder,
    data: Annotated[str | None, typer.Option(metavar="DATA", help="Other examples, all of them.")] = None,
) -> None:
    """Evaluate a run; see EVALUATE_HELP."""
    with _reported():
        from nn.jobs.job import Job
        from nn.jobs.predicting import scored
        from nn.jobs.splits import splits

        job, checkpoint = Job.read(run)
        examples, own = job.examples(data)
        model, epoch = job.trained(checkpoint)
        chosen: Any = splits(job.plan, examples)["test"] if own else slice(None)
        score = scored(job, model, examples, chosen)
        which = "held back from training" if own else f"of {examples.title}"
        say(f"{score.examples:,} examples {which}, weights of epoch {epoch} of {checkpoint.epoch}")
        show(["", *score.numbers], [["test" if own else "all", *map(_number, score.numbers.values())]])
        if score.pairs is not None and len(job.classes) <= MANY:
            right, are, taken = score.pairs.diagonal(), score.pairs.sum(axis=1), score.pairs.sum(axis=0)
            shares = [
                [f"{n / of:.4f}" if of else "" for n, of in zip(right, all_, strict=True)] for all_ in (are, taken)
            ]
            rows = [
                [name, str(count), found, exact]
                for name, count, found, exact in zip(job.classes, are, *shares, strict=True)
            ]
            show([job.target, "examples", "recall", "precision"], rows)


@app.command(help=PREDICT_HELP)
def predict(
    run: RunFolder,
    file: Annotated[str, typer.Argument(metavar="FILE", help="New examples.", show_default=False)],
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Write the CSV there.")] = None,
) -> None:
    """Predict the target of new examples; see PREDICT_HELP."""
    with _reported():
        import csv
        from io import StringIO

        from nn.files import write
        from nn.jobs.job import Job
        from nn.jobs.predicting import predictions

        job, checkpoint = Job.read(run)
        rows, others = predictions(job, job.trained(checkpoint)[0], file)
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        if out is not None:
            write("--out", out, text.getvalue().encode())
            say(f"written: {out}")
        elif sys.stdout.isatty():  # a class name may contain control characters
            for line in text.getvalue().splitlines():
                say(line)
        else:
            typer.echo(text.getvalue().encode(), nl=False)
        if others:
            typer.echo(on_one_line(f"note: not needed: {', '.join(others)}"), err=True)


# -- What train and resume share ---------------------------------------------------------------------------------------


def _describe(job: Job, examples: Examples) -> None:
    """Print the data, the network and the options of a training."""
    from nn.jobs.splits import splits

    plan, count = job.plan, len(job.features)
    what = f"{len(job.classes)} classes" if job.classes else "real numbers"
    say(f"data: {examples.title}, {len(examples.targets):,} examples of {count:,} number{'s' if count > 1 else ''}")
    say(f"target: {job.target}, {what}{f' ({examples.decided})' if examples.decided else ''}")
    sizes = [f"{len(chosen):,} {name}" for name, chosen in splits(plan, examples).items()]
    say(f"split: {', '.join(sizes)} (held back for evaluate)")
    model = job.model()
    layers = "-".join(map(str, plan.sizes(count, len(job.classes) or 1)))
    between = f", {plan.activation}" if plan.hidden else ""
    say(f"network: {layers}{between}, {sum(p.size for p in model.parameters()):,} parameters")
    say(
        f"training: {plan.optimizer}, rate {plan.rate:g} ({plan.schedule}), batches of {plan.batch_size}, seed {plan.seed}"
    )


def _train(job: Job, examples: Examples, run: str, epochs: int | None = None, after: int | None = None) -> None:
    """Train, resumed `after` an epoch if one is given; print the scores of the model on the training and validation examples."""
    from nn.jobs.predicting import scored
    from nn.jobs.splits import splits

    with _reported(run):
        say(f"run: {run}")
        model, history = job.train(examples, run, epochs, resume=after is not None)
        if history.interrupted:
            raise KeyboardInterrupt
        divided = splits(job.plan, examples)
        scores = {name: scored(job, model, examples, divided[name]) for name in ("training", "validation")}
        say(_ending(job, history, after))
        rows = [[name, f"{score.examples:,}", *map(_number, score.numbers.values())] for name, score in scores.items()]
        show(["", "examples", *scores["training"].numbers], rows)
        say(f"on the examples held back: {_command('evaluate', run)}")


def _ending(job: Job, history: History, after: int | None) -> str:
    """The end of training, in words; with its seconds, unless the run had ended before."""
    ended = len(history.curves["train_loss"])
    epoch = history.best_epoch if job.plan.patience else ended
    how = "finished before, nothing to train: " if ended == after else ""
    seconds = f" in {sum(history.seconds['epoch']):.3g} s" if ended != after else ""
    early = ", stopped early" if history.stopped_early else ""
    best = ", the best" if job.plan.patience else ""
    return f"{how}{ended} epoch{'s' if ended > 1 else ''}{seconds}{early}; weights of epoch {epoch}{best}:"


def _number(number: float) -> str:
    return f"{number:.4f}" if 1e-3 <= abs(number) < 1e4 else f"{number:.4g}"


def _command(name: str, run: str) -> str:
    return f"{COMMAND} {name} {shlex.quote(run)}"


@contextmanager
def _reported(run: str | None = None) -> Iterator[None]:
    """Report errors, Ctrl-C and SIGTERM by a line, with the command that resumes the run, and an exit code; warnings by lines."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except (TinygradError, OSError, MemoryError, KeyboardInterrupt, SystemExit) as error:
            _end(error, run)
        finally:
            for text in dict.fromkeys([str(warning.message) for warning in caught]):
                typer.echo(on_one_line(f"warning: {text}"), err=True)


def _end(error: BaseException, run: str | None) -> None:
    """End the command because of an error."""
    from nn import NonFiniteError
    from nn.jobs.job import last_epoch
    from nn.jobs.plan import PlanError

    if isinstance(error, BrokenPipeError):
        raise error  # typer ends in silence
    epoch = None if run is None or isinstance(error, NonFiniteError) else last_epoch(run)
    more = "" if run is None or epoch is None else f"; to go on after epoch {epoch}: {_command('resume', run)}"
    if isinstance(error, SystemExit):
        fail(on_one_line(f"ended{more}"), code=error.code if isinstance(error.code, int) else 1)
    if isinstance(error, KeyboardInterrupt):
        fail(on_one_line(f"interrupted{more}"), code=130)
    text = "out of memory" if isinstance(error, MemoryError) else str(error).removeprefix("fit: ")
    fail(on_one_line(f"error: {text}{more}"), code=2 if isinstance(error, PlanError) else 1)
