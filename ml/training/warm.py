"""A warm start: MesoInception-4 takes over what Meso-4 has learned.

``python -m ml.training.warm --teacher RUN --data FACES --work CACHE --out RUN2``

From its third block on MesoInception-4 is Meso-4. Its first two blocks, which cost four fifths of its time, learn to
carry Meso-4's features: on patches of training faces, a linear map of their output is fitted to the output of Meso-4's
second block. The map is then folded into the third block's kernel, all later weights are copied, and training goes on
from there as usual (``ml.training.mesonet --out RUN2``).
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_TEACHER_BLOCK, _STUDENT_BLOCK = 1, 1  # the second of the pooling layers
_PATCH = 128


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.warm", description=__doc__)
    parser.add_argument("--teacher", type=Path, required=True, help="run of Meso-4, with best.weights.h5")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the MesoInception-4 run to begin")
    parser.add_argument("--start", type=Path, help="run of MesoInception-4 whose best first blocks to begin with")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=2018)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    from ml import runtime

    runtime.configure(options.threads)

    from ml.networks.mesonet import build
    from ml.training import dataset
    from ml.training.batches import Batches
    from ml.training.fused import FusedBatchNormalization
    from ml.training.loop import Schedule
    from ml.training.mesonet import commit
    from ml.training.mesonet_run import MesoRun
    from ml.training.patches import Placed

    dataset.prepare(options.data, options.work)
    teacher = build("meso4", normalization=FusedBatchNormalization, place=Placed())
    teacher.load_weights(options.teacher / "best.weights.h5")
    run = MesoRun("mesoinception4", options.out, Schedule(1e-3, steps=1), seed=options.seed)
    if run.step:
        parser.error(f"{options.out} already holds a run")
    if options.start is not None:
        run.model.load_weights(options.start / "best.weights.h5")
    batches = Batches(dataset.load(options.work, "train"), options.batch, options.seed)
    mix, shift = _mimic(teacher, run.model, batches, options.steps, options.seed)
    hand_over(teacher, run.model, mix, shift)
    start = "" if options.start is None else ", its first blocks begun with those of an earlier run,"
    run.note(
        f"- Warm start: {options.steps} steps of {options.batch} patches, seed {options.seed}{start} fitted to "
        f"Meso-4's second block (`python -m ml.training.warm`), commit {commit()}, {runtime.device_name()}"
    )
    run.begin(dataset.paired(dataset.load(options.work, "val")))
    return 0


def _mimic(
    teacher: Any, student: Any, batches: Any, steps: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    import keras
    import tensorflow as tf

    theirs = keras.Model(teacher.inputs, _pools(teacher)[_TEACHER_BLOCK].output)
    mine_output = _pools(student)[_STUDENT_BLOCK].output
    mine = keras.Model(student.inputs, mine_output)
    channels = (int(mine_output.shape[-1]), int(_pools(teacher)[_TEACHER_BLOCK].output.shape[-1]))
    random = np.random.default_rng(seed)
    mix = keras.Variable(random.normal(0, channels[0] ** -0.5, channels).astype(np.float32))
    shift = keras.Variable(np.zeros(channels[1], np.float32))
    trained = [*mine.trainable_variables, mix, shift]
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(4e-3, steps))
    optimizer.build(trained)

    def step(patches: Any) -> Any:
        images = tf.cast(patches, tf.float32) / 255.0
        wanted = theirs(images, training=False)
        # Every channel counts alike, however large its values are.
        _, variance = tf.nn.moments(wanted, [0, 1, 2])
        with tf.GradientTape() as tape:
            found = tf.tensordot(mine(images, training=True), mix.value, 1) + shift.value
            missed = tf.reduce_mean(tf.square(found - wanted), [0, 1, 2]) / (variance + 1e-6)
            loss = tf.reduce_mean(missed)
        optimizer.apply(tape.gradient(loss, [v.value for v in trained]), trained)
        return loss

    compiled = tf.function(step, jit_compile=False)
    losses = []
    source = batches.from_step(1_000_000)  # not the batches that training will see
    for number in range(1, steps + 1):
        pixels, _ = next(source)
        y, x = (int(n) for n in random.integers(0, pixels.shape[1] - _PATCH + 1, 2))
        losses.append(float(compiled(tf.constant(pixels[:, y : y + _PATCH, x : x + _PATCH]))))
        if number % 50 == 0:
            logger.info("step %d: %.3f of the teacher's variance missed", number, float(np.mean(losses[-50:])))
    source.close()
    return np.array(mix), np.array(shift)


def hand_over(teacher: Any, student: Any, mix: NDArray[np.float32], shift: NDArray[np.float32]) -> None:
    """Give ``student`` the teacher's weights from the third block on, read through ``features @ mix + shift``."""
    theirs = [layer for layer in teacher.layers if layer.weights]
    mine = [layer for layer in student.layers if layer.weights]
    count = len(theirs) - 4  # after two blocks of a convolution and a normalisation each
    for source, target in zip(theirs[-count:], mine[-count:], strict=True):
        values = source.get_weights()
        if source is theirs[-count]:
            kernel, bias = values
            values = [np.einsum("io,hwof->hwif", mix, kernel), bias + np.einsum("o,hwof->f", shift, kernel)]
        target.set_weights(values)


def _pools(model: Any) -> list[Any]:
    import keras

    return [layer for layer in model.layers if isinstance(layer, keras.layers.MaxPooling2D)]


if __name__ == "__main__":
    sys.exit(main())
