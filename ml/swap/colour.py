"""Giving a painted face the light and colours of the picture that it goes into."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST = 16  # pixels from which colours can be told


class ColourTransfer(StrEnum):
    """REINHARD: mean and spread of each Lab channel (Reinhard et al. 2001). HISTOGRAM: each RGB channel's histogram."""

    REINHARD = "reinhard"
    HISTOGRAM = "histogram"
    NONE = "none"


def transfer(
    painted: NDArray[np.uint8], wanted: NDArray[np.uint8], mask: NDArray[np.float32], method: ColourTransfer
) -> NDArray[np.uint8]:
    """The painted face with the colours that ``wanted`` has inside the mask.

    painted, wanted: uint8 (S, S, 3) RGB, aligned alike. mask: float32 (S, S), 0 to 1; over .5 counts. A mask of hardly
    a pixel leaves the face as it is.
    """
    inside = mask > 0.5
    if method is ColourTransfer.NONE or int(inside.sum()) < _FEWEST:
        return painted
    return (_reinhard if method is ColourTransfer.REINHARD else _histogram)(painted, wanted, inside)


def _reinhard(painted: NDArray[np.uint8], wanted: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    ours, theirs = (cv2.cvtColor(x.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for x in (painted, wanted))
    mean, spread = ours[inside].mean(axis=0), ours[inside].std(axis=0)
    goal, width = theirs[inside].mean(axis=0), theirs[inside].std(axis=0)
    # A face that is nearly flat must not have its noise blown up.
    moved = (ours - mean) * np.clip(width / np.maximum(spread, 1e-3), 0.5, 2.0) + goal
    rgb = cv2.cvtColor(np.asarray(moved, np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(np.rint(rgb * 255), 0, 255), np.uint8)


def _histogram(painted: NDArray[np.uint8], wanted: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    table = np.empty((1, 256, 3), np.uint8)
    for channel in range(3):
        ours = np.cumsum(np.bincount(painted[inside, channel], minlength=256)) / inside.sum()
        theirs = np.cumsum(np.bincount(wanted[inside, channel], minlength=256)) / inside.sum()
        table[0, :, channel] = np.minimum(255, np.searchsorted(theirs, ours - 1e-9))
    return np.asarray(cv2.LUT(painted, table), np.uint8)
