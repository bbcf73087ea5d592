"""``python -m ml.training.swap_people --start EVERYBODY --faces TRAIN.npz --val VAL.npz --portraits DIR --out RUN``

The built-in people, learned together: one encoder, everybody's decoder, and a decoder for each of ``PEOPLE``. Each
comes from one synthetic portrait, which is re-posed and lit anew through its face mesh (``ml.swap.reposing``) and
carried onto other people's faces (``ml.swap.pairing``); the files hold weights, and what they paint, never the
portrait. Everybody's faces stay in, so that the encoder goes on telling strangers apart. The run goes on from its
checkpoints; at its end there is an identity file for each, all with the same shared part.
"""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ml.faces import FaceFinder
    from ml.swap.face_set import FaceSet

EVERYBODY = "everybody"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sitter:
    """One of the people. portrait: file in the folder of CC0 portraits, painted by Stable Diffusion 3."""

    slug: str
    name: str
    portrait: str
    about: str


PEOPLE = (
    Sitter("ines", "Ines", "female_11.jpg", "A woman of about forty-five with fair skin."),
    Sitter("odell", "Odell", "male_19.jpg", "A man of about forty with dark skin and a shaven head."),
    Sitter("nandi", "Nandi", "female_61.jpg", "A woman of about seventy with brown skin and grey hair."),
    Sitter("haru", "Haru", "male_50.jpg", "A man of about seventy-five with light skin and white hair."),
    Sitter("bruno", "Bruno", "male_60.jpg", "A man of about thirty-five with olive skin and a short beard."),
)


def gathered(portrait: NDArray[np.uint8], others: FaceSet, turned: int, paired: int, finder: FaceFinder) -> FaceSet:
    """The faces of one portrait: ``turned`` re-posed ones, and ``paired`` in the places of other people's.

    Raises ValueError for a portrait without a face.
    """
    import numpy as np

    from ml.swap.face_set import join
    from ml.swap.pairing import mouth_height, pairs
    from ml.swap.reposing import face_set

    found = finder.find(portrait, 1)
    if not found:
        raise ValueError("no face in the portrait")
    random = np.random.default_rng(2018)
    own = face_set(portrait, found[0], turned, others.size, random)
    # What re-posing puts between the lips is dark; where the mouth is shut, pairing takes what the other one shows.
    side = own.crops.shape[1]
    heights = np.array([mouth_height(points, side) for points in own.points])
    return join([own, pairs(own[heights <= heights[0] + 0.01], others, paired, random)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.swap_people", description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="everybody.identity of ml.training.swap")
    parser.add_argument("--faces", type=Path, required=True, help="of the train split, by ml.training.swap_faces")
    parser.add_argument("--val", type=Path, required=True, help="of the val split")
    parser.add_argument("--portraits", type=Path, required=True, help="folder of the synthetic portraits")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--turned", type=int, default=250, help="re-posed faces of each portrait (250)")
    parser.add_argument("--paired", type=int, default=600, help="of other people, shown to each decoder (600)")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=3, help="faces of everybody and of each person a step (3)")
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    from ml import runtime

    runtime.configure(options.threads)
    import keras

    from ml.faces import FaceFinder
    from ml.media import decode
    from ml.networks.swap import build_swap_network
    from ml.swap.face_set import FaceSet
    from ml.swap.identity import Identity
    from ml.swap.learn import begin_with
    from ml.swap.trainer import Recipe, Trainer

    options.out.mkdir(parents=True, exist_ok=True)
    everybody = FaceSet.load(options.faces)
    sets = {EVERYBODY: (everybody, FaceSet.load(options.val))}
    with FaceFinder() as finder:
        for sitter in PEOPLE:
            kept = options.out / f"{sitter.slug}.npz"
            if not kept.is_file():
                pixels = decode(options.portraits / sitter.portrait).pixels
                gathered(pixels, everybody, options.turned, options.paired, finder).save(kept)
            sets[sitter.slug] = FaceSet.load(kept).split()
    keras.utils.set_random_seed(2018)
    start = Identity.load(options.start)
    network = build_swap_network(start.config, tuple(sets), runtime.training_precision())
    begin_with(network, start)
    recipe = Recipe(
        options.steps,
        batch=options.batch,
        rate=options.rate,
        last_rate=options.rate / 20,
        beta1=0.9,
        flip=False,
        look_steps=100,
        checkpoint_seconds=180,
    )
    trainer = Trainer(network, sets, options.out, recipe)
    trainer.train(lambda *_: None, looked=lambda history: logger.info("%s", history[-1]))
    names = {EVERYBODY: EVERYBODY} | {sitter.slug: sitter.name for sitter in PEOPLE}
    for slug, name in names.items():
        about = {
            "synthetic": slug != EVERYBODY,
            "steps": trainer.step,
            "seconds": round(trainer.seconds),
            "val": round(trainer.best, 5),
            "begun": start.about,
        }
        sha256 = Identity.of(network, slug, name, about).save(options.out / f"{slug}.identity")
        sys.stdout.write(f"{slug}.identity {sha256}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
