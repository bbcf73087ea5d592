"""Where a painted face goes, and how its edge meets the picture. Nothing outside of the mask is touched."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.swap.alignment import hull_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.swap.alignment import Alignment


class MaskKind(StrEnum):
    """HULL: the mesh's outline. LEARNED: what the decoder says is face. BOTH: what lies in both."""

    HULL = "hull"
    LEARNED = "learned"
    BOTH = "both"


class Blend(StrEnum):
    """ALPHA: mixed by the mask. SEAMLESS: gradients pasted (Perez et al. 2003, ``cv2.seamlessClone``)."""

    ALPHA = "alpha"
    SEAMLESS = "seamless"


def face_mask(
    points: NDArray[np.float32],
    size: int,
    learned: NDArray[np.float32] | None,
    kind: MaskKind,
    erode: float,
    feather: float,
) -> NDArray[np.float32]:
    """The mask of one aligned face: float32 (S, S), 0 to 1, zero on the border of the crop and outside of the outline.

    points: (478, 2), crop pixels. learned: (S, S), 0 to 1; None where the network has no such branch, then the hull
    stands in. erode, feather: shares of the crop's side by which the outline is drawn in, and over which it fades.
    """
    hull = hull_mask(points, size).astype(np.float32) / 255
    if kind is MaskKind.HULL or learned is None:
        whole = hull
    elif kind is MaskKind.LEARNED:
        whole = (learned > 0.5).astype(np.float32)
    else:
        whole = hull * (learned > 0.5)
    reach = max(0, round(erode * size))
    fade = max(0, round(feather * size))
    inner = np.ascontiguousarray(whole, np.float32)
    inner[:1], inner[-1:], inner[:, :1], inner[:, -1:] = 0, 0, 0, 0
    if reach + fade:
        # Drawn in by the width of the fade, too: what the blur then spreads stays inside.
        window = 2 * (reach + (fade + 1) // 2) + 1
        inner = np.asarray(cv2.erode(inner, np.ones((window, window), np.uint8), borderValue=(0,)), np.float32)
    if fade:
        soft = np.asarray(cv2.GaussianBlur(inner, (2 * fade + 1, 2 * fade + 1), fade / 2), np.float32)
        inner = np.minimum(soft, whole)
    return inner


def paste_back(
    picture: NDArray[np.uint8], crop: NDArray[np.uint8], mask: NDArray[np.float32], alignment: Alignment, blend: Blend
) -> NDArray[np.uint8]:
    """A copy of uint8 (H, W, 3) with the crop laid back where ``alignment`` had cut it, as far as the mask reaches."""
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float64) * alignment.size
    there = corners @ alignment.inverse[:, :2].T + alignment.inverse[:, 2]
    x0, y0 = (max(0, int(value)) for value in np.floor(there.min(axis=0)) - 2)
    x1, y1 = (min(limit, int(v)) for limit, v in zip((width, height), np.ceil(there.max(axis=0)) + 3, strict=True))
    out = picture.copy()
    if x1 - x0 < 2 or y1 - y0 < 2:
        return out
    matrix = alignment.inverse.copy()
    matrix[:, 2] -= (x0, y0)
    size = (x1 - x0, y1 - y0)
    alpha = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR)
    if float(alpha.max()) <= 0:
        return out
    face = cv2.warpAffine(crop, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    below = picture[y0:y1, x0:x1]
    if blend is Blend.SEAMLESS:
        face = _cloned(np.asarray(face, np.uint8), below, np.asarray(alpha, np.float32))
    mixed = below + (face.astype(np.float32) - below) * alpha[..., None]
    out[y0:y1, x0:x1] = np.clip(np.rint(mixed), 0, 255)
    return out


def _cloned(face: NDArray[np.uint8], below: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    solid = np.where(alpha > 0.02, 255, 0).astype(np.uint8)
    solid[:2], solid[-2:], solid[:, :2], solid[:, -2:] = 0, 0, 0, 0  # OpenCV reads one pixel around the mask
    x, y, wide, high = cv2.boundingRect(solid)
    if wide < 3 or high < 3:
        return face
    # The mask's box is laid with its middle on this point: its own middle, so that nothing moves.
    return np.asarray(
        cv2.seamlessClone(face, np.ascontiguousarray(below), solid, (x + wide // 2, y + high // 2), cv2.NORMAL_CLONE),
        np.uint8,
    )
