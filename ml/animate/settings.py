"""How a portrait is to be moved; readable without any network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MOST_MOVEMENT = 2.0
MOST_SMOOTHING = 5.0


class Motion(StrEnum):
    """RELATIVE: the portrait moves as the driver has moved since its start frame, and keeps its own shape. ABSOLUTE: it
    takes the driver's places and shape as they are, which changes who it looks like.
    """

    RELATIVE = "relative"
    ABSOLUTE = "absolute"


class Framing(StrEnum):
    """PORTRAIT: the moving square is put back into the portrait. SQUARE: the square alone."""

    PORTRAIT = "portrait"
    SQUARE = "square"


class Caution(StrEnum):
    """What the person should know before judging the result. POSE_GAP: portrait and driver look in different
    directions at the start. SMALL_FACE: the portrait's face has fewer pixels than the network. LEAVES_SQUARE: the
    driver's face leaves its square in some frames. FACE_LOST: no face was found in some of the driver's frames.
    """

    POSE_GAP = "pose_gap"
    SMALL_FACE = "small_face"
    LEAVES_SQUARE = "leaves_square"
    FACE_LOST = "face_lost"


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """movement: by how much the motion is enlarged, 0 (still) to 2. best_start: begin from the driver's frame that is
    most like the portrait, else from its first. smoothing: sigma in frames by which keypoints are steadied, 0 to 5.
    detail: how much of the portrait's finer structure, which the network cannot paint, is carried along, 0 to 1.
    restore_faces: draw the face of every frame anew by the face restorer (``ml.animate.restoring``). Raises ValueError
    for values outside.
    """

    motion: Motion = Motion.RELATIVE
    framing: Framing = Framing.PORTRAIT
    movement: float = 1.0
    best_start: bool = True
    smoothing: float = 0.7
    detail: float = 1.0
    restore_faces: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.movement <= MOST_MOVEMENT:
            raise ValueError(f"movement is 0 to {MOST_MOVEMENT:g}")
        if not 0 <= self.smoothing <= MOST_SMOOTHING:
            raise ValueError(f"smoothing is 0 to {MOST_SMOOTHING:g} frames")
        if not 0 <= self.detail <= 1:
            raise ValueError("detail is 0 to 1")
