"""Faces for the swap's tests: one library picture in many slightly different forms, and networks of few channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from ml.faces import Face

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ml.faces import FaceFinder
    from ml.networks.swap import SwapNetwork
    from ml.swap.face_set import FaceSet


@pytest.fixture(scope="session")
def face(finder: FaceFinder, astronaut: NDArray[np.uint8]) -> Face:
    (found,) = finder.find(astronaut)
    return found


@pytest.fixture(scope="session")
def faces(astronaut: NDArray[np.uint8], face: Face) -> FaceSet:
    """Twelve faces of 32 pixels: the astronaut, turned a little and in changing light."""
    from ml.swap.face_set import FaceSet

    made = []
    for i in range(12):
        turn = cv2.getRotationMatrix2D((225, 125), 3 * (i - 6), 1)
        pixels = np.asarray(cv2.warpAffine(astronaut, turn, (512, 512)), np.uint8)
        pixels = np.asarray(cv2.convertScaleAbs(pixels, alpha=0.8 + i / 30), np.uint8)
        points = np.asarray(face.landmarks @ turn[:, :2].T + turn[:, 2], np.float32)
        made.append((pixels, Face(face.box, points, 1.0, float(i - 6), 0.0, 0.0)))
    return FaceSet.of(made, 32)


@pytest.fixture(scope="session")
def small_network() -> Callable[..., SwapNetwork]:
    """Builds the same small network with the same weights each time."""
    from ml import runtime

    runtime.configure()
    import keras

    from ml.networks.swap import Family, SwapConfig, build_swap_network

    def build(identities: tuple[str, ...] = ("a",), family: Family = Family.DF) -> SwapNetwork:
        keras.utils.set_random_seed(7)
        return build_swap_network(SwapConfig(family, 32, 8, 16, 8, mask=4), identities)

    return build
