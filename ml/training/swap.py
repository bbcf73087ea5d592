"""``python -m ml.training.swap --faces TRAIN.npz --val VAL.npz --out RUN``: the encoder that all people share.

The small DF network learns to straighten and paint everybody's faces with one decoder. What remains of it is the shared
part, and that decoder as the start from which a person's own is trained. The run goes on from its checkpoints when the
same command is given again; ``--strip FILE`` keeps the last preview. At its end ``everybody.identity`` holds both: a
start for ``ml.swap.learn`` and ``ml.training.swap_person``.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

EVERYBODY = "everybody"

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.swap", description=__doc__)
    parser.add_argument("--faces", type=Path, required=True, help="of the train split, by ml.training.swap_faces")
    parser.add_argument("--val", type=Path, required=True, help="of the val split")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--seed", type=int, default=2018)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--strip", type=Path, help="where to keep the last preview (PNG)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    from ml import runtime

    runtime.configure(options.threads)
    import keras

    from ml.media import encode_png
    from ml.networks.swap import SWAP_96, build_swap_network
    from ml.swap.face_set import FaceSet
    from ml.swap.identity import Identity
    from ml.swap.trainer import Recipe, Trainer

    keras.utils.set_random_seed(options.seed)
    recipe = Recipe(
        options.steps,
        batch=options.batch,
        rate=options.rate,
        last_rate=options.rate / 20,
        beta1=0.9,
        seed=options.seed,
        look_steps=100,
        checkpoint_seconds=180,
        preview_seconds=120,
    )
    network = build_swap_network(SWAP_96, (EVERYBODY,), runtime.training_precision())
    faces = {EVERYBODY: (FaceSet.load(options.faces), FaceSet.load(options.val))}
    trainer = Trainer(network, faces, options.out, recipe)
    logger.info("from step %d, %s faces %s", trainer.step, len(faces[EVERYBODY][0]), faces[EVERYBODY][0].fingerprint)
    known = len(trainer.history)

    def report(stage: str, done: int, total: int) -> None:
        nonlocal known
        for look in trainer.history[known:]:
            logger.info("%s", look)
        known = len(trainer.history)

    def keep(strip: NDArray[np.uint8]) -> None:
        if options.strip is not None:
            options.strip.write_bytes(encode_png(strip))

    trainer.train(report, keep)
    about = {
        "steps": trainer.step,
        "seconds": round(trainer.seconds),
        "val": round(trainer.best, 5),
        "faces": len(faces[EVERYBODY][0]),
        "fingerprint": faces[EVERYBODY][0].fingerprint,
    }
    Identity.of(network, EVERYBODY, EVERYBODY, about).save(options.out / "everybody.identity")
    return 0


if __name__ == "__main__":
    sys.exit(main())
