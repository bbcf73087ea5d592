"""Painting faces of a picture as somebody else's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime
from ml.swap.alignment import align
from ml.swap.blending import Blend, MaskKind, face_mask, paste_back
from ml.swap.colour import ColourTransfer, transfer
from ml.swap.details import InUse, with_details
from ml.swap.face_set import MARGIN
from ml.swap.settling import Settled, mesh_in, settle
from ml.swap.tracking import FaceChoice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.faces import FaceFinder
    from ml.networks.swap import SwapNetwork
    from ml.swap.face_set import FaceSet


@dataclass(frozen=True, slots=True)
class ConversionSettings:
    """How a painted face is put into the picture.

    ``erode`` and ``feather`` are shares of the aligned crop's side, 0 to .3; ``smoothing`` is the sigma, in frames, of
    the mean over time that steadies the mesh in a clip (0: none). ``settle``: how many times, 0 to 3, the painted face
    is looked at and moved onto the target's mesh. ``detail``: how much of the fine structure, 0 to 1, is taken from the
    person's own faces, where some are kept with the identity.
    """

    face: FaceChoice = FaceChoice.LARGEST
    colour: ColourTransfer = ColourTransfer.REINHARD
    mask: MaskKind = MaskKind.HULL
    blend: Blend = Blend.ALPHA
    erode: float = 0.02
    feather: float = 0.08
    smoothing: float = 1.0
    settle: int = 2
    detail: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.erode <= 0.3 and 0 <= self.feather <= 0.3 and 0 <= self.smoothing <= 10):
            raise ValueError("erode and feather are shares from 0 to 0.3, smoothing is 0 to 10 frames")
        if not (self.settle in range(4) and 0 <= self.detail <= 1):
            raise ValueError("settle is 0 to 3 times, detail a share from 0 to 1")


@dataclass(slots=True)
class Before:
    """What one frame of a clip hands on to the next, so that nothing jumps. A new one begins a clip, or ends a gap."""

    settled: Settled = field(default_factory=Settled)
    in_use: InUse = field(default_factory=InUse)


class Swapper:
    """A network that paints one identity, kept warm. Use one instance from one thread.

    own: faces of the person, for their details; None where none are kept.
    """

    def __init__(self, network: SwapNetwork, identity: str = "person", own: FaceSet | None = None) -> None:
        tf = runtime.tensorflow()
        self.size = network.config.size
        self.own = own

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
        self,
        pixels: NDArray[np.uint8],
        landmarks: NDArray[np.float32],
        settings: ConversionSettings,
        finder: FaceFinder | None = None,
        before: Before | None = None,
    ) -> NDArray[np.uint8]:
        """A copy of uint8 (H, W, 3) in which the face with this mesh (478, 2) is painted as the identity's.

        finder: sees where the painted features lie; without one they stay where they were painted. before: in a clip,
        what the frame before has left; it is written to.
        """
        alignment = align(landmarks, self.size)
        crop, points = alignment.cut(pixels), alignment.points(landmarks)
        faces, masks = self.paint(crop[None])
        learned = None if masks is None else masks[0]
        mask = face_mask(points, self.size, learned, settings.mask, settings.erode, settings.feather)
        face = faces[0]
        if finder is not None:

            def seen(painted: NDArray[np.uint8]) -> NDArray[np.float32] | None:
                return mesh_in(transfer(painted, crop, mask, settings.colour), mask, pixels, alignment, finder)

            face = settle(face, points, seen, settings.settle, None if before is None else before.settled)
        if self.own is not None and settings.detail > 0:
            wide = align(landmarks, self.size, MARGIN)
            face = with_details(
                face,
                wide.cut(pixels),
                wide.points(landmarks),
                self.own,
                settings.detail,
                None if before is None else before.in_use,
            )
        face = transfer(face, crop, mask, settings.colour)
        return paste_back(pixels, face, mask, alignment, settings.blend)
