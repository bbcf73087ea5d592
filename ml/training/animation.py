"""``python -m ml.training.animation --cache CACHE --out RUN --seconds 5400``: the shipped motion model.

CACHE is a folder of ``ml.training.animation_faces``. ``--start shipped`` goes on with the weights that are shipped;
``--strip FILE`` keeps a picture of source, result and driving frame of val people at every look. The run goes on from
its checkpoints when the same command is given again.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ml.training.animation_batches import Pairs
    from ml.training.animation_losses import Perception

logger = logging.getLogger(__name__)

VAL_EACH = 8
"""Pairs of each val clip by which the best weights are chosen."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.animation", description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--seconds", type=float, default=5400.0)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--start", choices=("shipped",), help="weights to begin with; keypoints are not shown then")
    parser.add_argument("--look-seconds", type=float, default=240.0)
    parser.add_argument("--precision", choices=("float32", "mixed_bfloat16"), default="mixed_bfloat16")
    parser.add_argument("--seed", type=int, default=2019)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--strip", type=Path, help="where to keep the last strip of val pictures (PNG)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    from ml import runtime

    runtime.configure(options.threads)
    import keras

    from ml.media import encode_png
    from ml.networks.fomm import SHIPPED_128
    from ml.training.animation_batches import PairBatches, Pictures, plain_pairs
    from ml.training.animation_run import MotionPlan, MotionRun, build
    from ml.training.mesonet import commit

    keras.utils.set_random_seed(options.seed)
    clips, val = (Pictures.load(options.cache / f"{split}.npz") for split in ("train", "val"))
    turned = options.cache / "portraits.npz"
    portraits = Pictures.load(turned) if turned.is_file() else None
    batches = PairBatches(clips, portraits, batch=options.batch, seed=options.seed)
    plan = MotionPlan(options.seconds, options.rate, options.look_seconds)
    if options.start:
        plan = MotionPlan(options.seconds, options.rate, options.look_seconds, 0.0, 0.0)
    pairs = plain_pairs(val, VAL_EACH)
    run = MotionRun(
        build(SHIPPED_128, options.precision),
        options.out,
        plan,
        perception_of(plain_pairs(clips, 1), options.precision),
        options.seed,
    )
    if options.start and not run.step:
        from ml.weights.store import load_arrays

        run.begin_with(load_arrays("motion"))
    run.note(
        f"- From step {run.step}: {len(clips.pixels)} frames of {len(clips.names)} clips, "
        f"{0 if portraits is None else len(portraits.names)} portraits, {options.batch} pairs a step, rate "
        f"{options.rate:g}, {options.seconds:g} s in all, {options.precision}, {options.threads} thread(s), seed "
        f"{options.seed}, {'begun with the shipped weights, ' if options.start else ''}commit {commit()}, "
        f"{runtime.device_name()}."
    )
    logger.info(
        "from step %d, %d frames, %s portraits", run.step, len(clips.pixels), portraits and len(portraits.names)
    )

    def keep(strip: NDArray[np.uint8]) -> None:
        if options.strip is not None:
            options.strip.write_bytes(encode_png(strip))

    run.train(batches, pairs, keep)
    return 0


def perception_of(pairs: Pairs, precision: str = "float32") -> Perception:
    """The first three stages of the shipped boundary detector, each scaled by how far two people's pictures differ."""
    import keras
    import numpy as np

    from ml.networks.residual import trunk
    from ml.training.animation_losses import Perception
    from ml.weights.store import load

    whole: Any = load("boundary")
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(precision)
    try:
        inputs = keras.Input((None, None, 3))
        stages = trunk(inputs, keras.layers.BatchNormalization)
        features = keras.Model(inputs, stages[:3])
    finally:
        keras.mixed_precision.set_dtype_policy(before)
    full = keras.Model(inputs, stages)
    # The trunk is built first, so its weights are the first of the detector's.
    full.set_weights(whole.get_weights()[: len(full.weights)])
    some = pairs.driving[:: max(1, len(pairs.driving) // 8)][:8]
    maps = [np.asarray(part, np.float32) for part in features(some, training=False)]
    scales = [float(np.abs(part - np.roll(part, 1, axis=0)).mean()) for part in maps]
    return Perception(features, scales)


if __name__ == "__main__":
    sys.exit(main())
