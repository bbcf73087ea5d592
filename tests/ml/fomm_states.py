"""A motion model small enough for tests, and its weights as its authors save them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.networks.fomm import MotionConfig
from tests.ml.torch_state import state_of

if TYPE_CHECKING:
    import numpy as np

    from ml.networks.fomm import FirstOrderMotion

TINY = MotionConfig(
    size=64,
    keypoints=3,
    shrink=2,
    levels=2,
    keypoint_features=4,
    keypoint_limit=8,
    motion_features=4,
    motion_limit=8,
    generator_features=4,
    generator_limit=8,
    generator_blocks=2,
)


def torch_states(model: FirstOrderMotion) -> dict[str, dict[str, np.ndarray]]:
    """Turn a model's weights into the authors' two state dicts (the importer's inverse, for small models)."""
    motion = {f"dense_motion_network.{name}": value for name, value in state_of(model.dense_motion).items()}
    generator = motion | state_of(model.encoder) | state_of(model.decoder)
    return {"generator": generator, "kp_detector": state_of(model.keypoint_detector)}
