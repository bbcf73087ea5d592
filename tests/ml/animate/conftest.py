"""A portrait (scikit-image's astronaut), a clip in which she turns and speaks, and the shape of a small network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from skimage import data

from ml.faces import FaceFinder
from ml.media import encode_png
from ml.networks.fomm import MotionConfig
from ml.swap.reposing import Pose, repose
from tests import clips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.faces import Face

SMALL = MotionConfig(
    size=64,
    shrink=2,
    levels=2,
    keypoint_features=4,
    keypoint_limit=8,
    motion_features=4,
    motion_limit=8,
    generator_features=8,
    generator_limit=16,
    generator_blocks=1,
    keeps_source=True,
)


@pytest.fixture(scope="session")
def astronaut() -> tuple[NDArray[np.uint8], Face]:
    pixels = np.ascontiguousarray(data.astronaut()[:400, 30:430])
    with FaceFinder() as finder:
        (face,) = finder.find(pixels, 1)
    return pixels, face


@pytest.fixture(scope="session")
def portrait(astronaut: tuple[NDArray[np.uint8], Face], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("portrait") / "portrait.png"
    path.write_bytes(encode_png(astronaut[0]))
    return path


@pytest.fixture(scope="session")
def turning(astronaut: tuple[NDArray[np.uint8], Face]) -> list[NDArray[np.uint8]]:
    """Twelve pictures: straight, turned to the right edge, back."""
    pixels, face = astronaut
    yaws = np.concatenate([np.linspace(0, 15, 6), np.linspace(15, 0, 6)])
    return [repose(pixels, face.landmarks, Pose(yaw=float(yaw)))[0] for yaw in yaws]


@pytest.fixture(scope="session")
def driver(turning: list[NDArray[np.uint8]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("driver") / "driver.mp4"
    path.write_bytes(clips.encoded(turning, rate=12))
    return path
