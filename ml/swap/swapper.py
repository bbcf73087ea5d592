"""Painting faces of a picture as somebody else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime
from ml.swap.alignment import align
from ml.swap.blending import Blend, MaskKind, face_mask, paste_back
from ml.swap.colour import ColourTransfer, transfer
from ml.swap.tracking import FaceChoice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.networks.swap import SwapNetwork


@dataclass(frozen=True, slots=True)
class ConversionSettings:
    """How a painted face is put into the picture.

    ``erode`` and ``feather`` are shares of the aligned crop's side, 0 to .3; ``smoothing`` is the sigma, in frames, of
    the mean over time that steadies the mesh in a clip (0: none).
    """

    face: FaceChoice = FaceChoice.LARGEST
    colour: ColourTransfer = ColourTransfer.REINHARD
    mask: MaskKind = MaskKind.HULL
    blend: Blend = Blend.ALPHA
    erode: float = 0.02
    feather: float = 0.08
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.erode <= 0.3 and 0 <= self.feather <= 0.3 and 0 <= self.smoothing <= 10):
            raise ValueError("erode and feather are shares from 0 to 0.3, smoothing is 0 to 10 frames")


class Swapper:
    """A network that paints one identity, kept warm. Use one instance from one thread."""

    def __init__(self, network: SwapNetwork, identity: str = "person") -> None:
        tf = runtime.tensorflow()
        self.size = network.config.size

        def forward(crops: Any) -> Any:
            painted = network.paint(tf.cast(crops, tf.float32) * (1.0 / 255.0), identity)
            face = tf.cast(tf.clip_by_value(tf.round(painted.face * 255.0), 0.0, 255.0), tf.uint8)
            mask = tf.zeros((0,)) if painted.mask is None else tf.cast(painted.mask, tf.float32)[..., 0]
            return face, mask

        self._has_mask = network.config.mask is not None
        self._forward = tf.function(
            forward, input_signature=[tf.TensorSpec((None, self.size, self.size, 3), tf.uint8)], jit_compile=False
        )
        self._constant = tf.constant

    def paint(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
        """Aligned crops uint8 (N, S, S, 3) -> faces of the same kind, and masks (N, S, S) if the network has them."""
        faces, masks = self._forward(self._constant(crops))
        return np.asarray(faces), (np.asarray(masks, np.float32) if self._has_mask else None)

    def swap(
        self, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32], settings: ConversionSettings
    ) -> NDArray[np.uint8]:
        """A copy of uint8 (H, W, 3) in which the face with this mesh (478, 2) is painted as the identity's."""
        alignment = align(landmarks, self.size)
        crop, points = alignment.cut(pixels), alignment.points(landmarks)
        faces, masks = self.paint(crop[None])
        learned = None if masks is None else masks[0]
        mask = face_mask(points, self.size, learned, settings.mask, settings.erode, settings.feather)
        face = transfer(faces[0], crop, mask, settings.colour)
        return paste_back(pixels, face, mask, alignment, settings.blend)
