"""Checkpoints of the First Order Motion Model (``vox-cpk.pth.tar`` and its kin) into ``ml.networks.fomm``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ml.importers.checkpoint_error import CheckpointError
from ml.importers.fill import fill
from ml.importers.state_dict import StateDict
from ml.importers.torch_checkpoint import read_torch_checkpoint
from ml.networks.fomm import FirstOrderMotion, MotionConfig

if TYPE_CHECKING:
    from pathlib import Path

_MOTION = "dense_motion_network."
_SHRINK_BY_KERNEL = {5: 2, 13: 4, 29: 8}


def read_fomm(path: Path, *, size: int = 256) -> FirstOrderMotion:
    """Read the ``generator`` and ``kp_detector`` of a checkpoint; its discriminator and optimizers are left alone.

    The networks' sizes are those of the file; the side of the pictures is not in it: ``size``. Returns a
    FirstOrderMotion (``keypoints``, ``normalise``, ``generate``). Raises CheckpointError.
    """
    tree = read_torch_checkpoint(path)
    if not isinstance(tree, dict) or not {"generator", "kp_detector"} <= set(tree):
        raise CheckpointError(path, "it holds no generator and kp_detector, so it is no motion model")
    generator, detector = (StateDict.find(path, tree[name]) for name in ("generator", "kp_detector"))
    motion, painter = generator.below(_MOTION), generator.without(_MOTION)
    try:
        config = _config(detector, motion, painter, size)
    except ValueError as error:
        raise error if isinstance(error, CheckpointError) else CheckpointError(path, str(error)) from error
    model = FirstOrderMotion(config)
    fill(model.keypoint_detector, detector)
    fill(model.dense_motion, motion)
    fill(model.encoder, painter, complete=False)
    fill(model.decoder, painter)
    return model


def _config(detector: StateDict, motion: StateDict, painter: StateDict, size: int) -> MotionConfig:
    levels = _count(detector, r"predictor\.encoder\.down_blocks\.(\d+)\.conv\.weight")
    if levels != _count(motion, r"hourglass\.encoder\.down_blocks\.(\d+)\.conv\.weight"):
        raise CheckpointError(detector.path, "its two hourglasses differ in depth")
    keypoints, _ = detector.conv_shape("kp.weight")
    shrink = 1
    if "down.weight" in detector:
        kernel = detector.shape("down.weight")[-1]
        if kernel not in _SHRINK_BY_KERNEL:
            raise CheckpointError(detector.path, f"its pictures are shrunk by a kernel of {kernel} pixels")
        shrink = _SHRINK_BY_KERNEL[kernel]
    keypoint_features, keypoint_limit = _widths(detector, "predictor.", levels)
    motion_features, motion_limit = _widths(motion, "hourglass.", levels)
    generator_levels = _count(painter, r"down_blocks\.(\d+)\.conv\.weight")
    return MotionConfig(
        size=size,
        keypoints=keypoints,
        shrink=shrink,
        levels=levels,
        keypoint_features=keypoint_features,
        keypoint_limit=keypoint_limit,
        motion_features=motion_features,
        motion_limit=motion_limit,
        generator_features=painter.conv_shape("first.conv.weight")[0],
        generator_limit=painter.conv_shape(f"down_blocks.{generator_levels - 1}.conv.weight")[0],
        generator_levels=generator_levels,
        generator_blocks=_count(painter, r"bottleneck\.r(\d+)\.conv1\.weight"),
    )


def _count(state: StateDict, pattern: str) -> int:
    numbers = {int(match[1]) for name in state if (match := re.fullmatch(pattern, name))}
    if not 1 <= len(numbers) <= 16 or numbers != set(range(len(numbers))):
        raise CheckpointError(state.path, f"its blocks {pattern!r} are numbered {sorted(numbers)[:20]}")
    return len(numbers)


def _widths(state: StateDict, prefix: str, levels: int) -> tuple[int, int]:
    """Read the channels of the last decoder block (the first level's) and the most of any encoder block."""
    features, _ = state.conv_shape(f"{prefix}decoder.up_blocks.{levels - 1}.conv.weight")
    widest = max(state.conv_shape(f"{prefix}encoder.down_blocks.{level}.conv.weight")[0] for level in range(levels))
    return features, widest
