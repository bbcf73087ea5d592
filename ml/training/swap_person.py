"""``python -m ml.training.swap_person --portrait FILE --start ENCODER --out FILE``: a person from one portrait.

The portrait is re-posed and lit anew through its face mesh (``ml.swap.reposing``), and a decoder is trained on what
that gives while the shared encoder stays as it is. With ``--others FACES.npz`` (of ``ml.training.swap_faces``) it is
also shown other people's faces, and asked for the portrait's in their pose and expression (``ml.swap.pairing``). Meant
for synthetic portraits, whose people do not exist: the file holds weights, and what they paint; never the portrait.
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

PERSON = "person"

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.swap_person", description=__doc__)
    parser.add_argument("--portrait", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True, help="identity file with the shared encoder")
    parser.add_argument("--out", type=Path, required=True, help="identity file to write")
    parser.add_argument("--work", type=Path, required=True, help="folder of the run, from which it goes on")
    parser.add_argument("--name", required=True)
    parser.add_argument("--faces", type=int, default=300, help="re-posed faces (300)")
    parser.add_argument("--others", type=Path, help="faces of other people, to be shown")
    parser.add_argument("--pairs", type=int, default=900, help="how many of them (900)")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--seed", type=int, default=2018)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    from ml import runtime

    runtime.configure(options.threads)
    import keras
    import numpy as np

    from ml.faces import FaceFinder
    from ml.media import decode
    from ml.networks.swap import build_swap_network
    from ml.swap.face_set import FaceSet, join
    from ml.swap.identity import Identity
    from ml.swap.learn import begin_with
    from ml.swap.pairing import pairs
    from ml.swap.reposing import face_set
    from ml.swap.trainer import Recipe, Trainer

    pixels: NDArray[np.uint8] = decode(options.portrait).pixels
    with FaceFinder() as finder:
        found = finder.find(pixels, 1)
    if not found:
        parser.error(f"no face in {options.portrait.name}")
    start = Identity.load(options.start)
    random = np.random.default_rng(options.seed)
    faces = face_set(pixels, found[0], options.faces, start.config.size, random)
    if options.others is not None:
        faces = join([faces, pairs(faces, FaceSet.load(options.others), options.pairs, random)])
    keras.utils.set_random_seed(options.seed)
    network = build_swap_network(start.config, (PERSON,), runtime.training_precision())
    begin_with(network, start)
    recipe = Recipe(
        options.steps,
        batch=options.batch,
        rate=options.rate,
        last_rate=options.rate / 20,
        beta1=0.9,
        freeze_shared=True,
        flip=False,
        seed=options.seed,
    )
    trainer = Trainer(network, {PERSON: faces.split()}, options.work, recipe)
    history = trainer.train(lambda *_: None)
    about = {"synthetic": True, "steps": trainer.step, "seconds": round(trainer.seconds), "val": round(trainer.best, 5)}
    sha256 = Identity.of(network, PERSON, options.name, about).save(options.out)
    logger.info("val loss %.4f after %d steps", history[-1].val, trainer.step)
    sys.stdout.write(f"{options.out.name} {sha256}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
