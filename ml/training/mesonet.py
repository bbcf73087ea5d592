"""Train Meso-4 or MesoInception-4.

``python -m ml.training.mesonet --network meso4 --data FACES --work CACHE --out RUN --minutes 80``

FACES is a folder with an index.csv (path, label, set, group, split, native_face_px, five points x0..y4, valid box). The
training goes on where RUN stands when it is started again. Trains on ``split=train`` only and keeps the weights
with the best mean AUC over the sets of ``split=val``.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def parser() -> argparse.ArgumentParser:
    """The command line's arguments."""
    made = argparse.ArgumentParser(prog="python -m ml.training.mesonet", description=__doc__)
    made.add_argument("--network", choices=("meso4", "mesoinception4"), required=True)
    made.add_argument("--data", type=Path, required=True, help="folder with index.csv and the pictures")
    made.add_argument("--work", type=Path, required=True, help="folder for the prepared crops (some GB)")
    made.add_argument("--out", type=Path, required=True, help="folder of this run: log.csv, state, best weights")
    length = made.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="stop, with the learning rate run down, after so long")
    length.add_argument("--steps", type=int, default=12_000, help="stop after so many batches")
    made.add_argument("--batch", type=int, default=32)
    made.add_argument("--epoch-steps", type=int, default=400, help="batches between two looks at the val split")
    made.add_argument("--loss", choices=("bce", "mse"), default="bce", help="mse on the sigmoid is the published one")
    made.add_argument("--patches", type=float, default=0.0, help="share of the run on quarters of faces: 4 x faster")
    made.add_argument("--rate", type=float, default=1e-3, help="Adam's first learning rate")
    made.add_argument("--seed", type=int, default=2018)
    made.add_argument("--threads", type=int, default=1, help="TensorFlow's threads within an operation")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; prints one line a look at the val split. Returns the process's exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    from ml import runtime

    runtime.configure(options.threads)

    from ml.training import dataset
    from ml.training.batches import Batches
    from ml.training.loop import Schedule
    from ml.training.mesonet_run import MesoRun

    dataset.prepare(options.data, options.work)
    train, val = dataset.load(options.work, "train"), dataset.load(options.work, "val")
    val = dataset.paired(val)
    schedule = Schedule(
        rate=options.rate,
        steps=None if options.minutes else options.steps,
        seconds=options.minutes * 60 if options.minutes else None,
    )
    command = shlex.join(["python", "-m", "ml.training.mesonet", *without_folders(options)])
    run = MesoRun(options.network, options.out, schedule, loss=options.loss, seed=options.seed, patches=options.patches)
    run.note(f"- From step {run.step}: `{command}`, commit {commit()}, {runtime.device_name()}")
    run.train(Batches(train, options.batch, options.seed), val, options.epoch_steps)
    return 0


def without_folders(options: argparse.Namespace) -> list[str]:
    """The options as words of a command, without folders: those are of one machine."""
    words = []
    for name, value in vars(options).items():
        if value is not None and not isinstance(value, Path):
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def commit() -> str:
    """The commit of this very code, "-dirty" when it was changed since; "unknown" outside a checkout."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    found = subprocess.run(  # noqa: S603 - fixed words, no shell
        [git, "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
