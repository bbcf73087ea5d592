"""The motions that come with the program, so that a portrait alone is enough.

Nobody was filmed for them: each is a path of head angles, jaw and lids over time (``drivers.json``). The portrait's own
face mesh, given the depth of the mean face, is led along it, and the keypoints follow the mesh.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.errors import MediaError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.animate.square import Square
    from ml.networks.fomm.keypoints import Keypoints
    from ml.swap.reposing import Pose

CATALOGUE = Path(__file__).with_name("drivers.json")
CHANNELS = ("yaw", "pitch", "roll", "jaw", "lids")

_ALIGNED = 256  # pixels a side of the face that is led along; the mesh has no pixels, so any would do
_NEAR = 0.05  # how far around a keypoint the mesh moves it, in heights of the face
_FAR = 0.35  # keypoints further off than this, such as shoulders, hardly follow the face
_PULL = 0.02  # by which a keypoint's own turn is drawn to the head's


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """path: for each channel (seconds, value) in order; angles in degrees, jaw and lids 0 to 1. preview: in static/."""

    slug: str
    name: str
    seconds: float
    fps: int
    preview: str
    path: dict[str, tuple[tuple[float, float], ...]]

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return round(self.seconds * self.fps)

    def poses(self) -> list[Pose]:
        """The pose of every frame; the first is at rest."""
        from ml.swap.reposing import Pose

        times = np.arange(self.frames) / self.fps
        still = np.zeros(self.frames)
        yaw, pitch, roll, jaw, lids = (
            _eased(times, self.path[name]) if name in self.path else still for name in CHANNELS
        )
        return [
            Pose(float(yaw[at]), float(pitch[at]), float(roll[at]), float(jaw[at]), float(lids[at]))
            for at in range(self.frames)
        ]


@cache
def catalogue() -> tuple[BuiltIn, ...]:
    """What there is, in the order in which it is offered."""
    said: list[dict[str, Any]] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return tuple(
        BuiltIn(**{**each, "path": {name: tuple(map(tuple, keys)) for name, keys in each["path"].items()}})
        for each in said
    )


def built_in(slug: str) -> BuiltIn:
    """The motion of that name. Raises MediaError when there is none."""
    for each in catalogue():
        if each.slug == slug:
            return each
    names = ", ".join(each.slug for each in catalogue())
    raise MediaError(
        "unknown_driver", "There is no built-in motion called %(name)s; there are %(known)s.", name=slug, known=names
    )


def posed(mesh: NDArray[np.float32], pose: Pose) -> NDArray[np.float32]:
    """A face mesh (478, 2) in pixels, turned and moved in space: the same points in the same picture."""
    from ml.swap.alignment import FACE_HEIGHT, align, mean_mesh
    from ml.swap.reposing import _AXIS, _moved, _rotation

    alignment = align(mesh, _ALIGNED)
    before = alignment.points(mesh).astype(np.float64)
    height = FACE_HEIGHT * _ALIGNED
    depth = mean_mesh()[:, 2].astype(np.float64) * height
    axis = np.append(before.mean(axis=0), (_AXIS + float(mean_mesh()[1, 2])) * height)
    moved = np.column_stack([_moved(before, height, pose), depth])
    after = ((moved - axis) @ _rotation(pose).T + axis)[:, :2]
    back = alignment.inverse
    return np.asarray(after @ back[:, :2].T + back[:, 2], np.float32)


def led(driver: BuiltIn, mesh: NDArray[np.float32], square: Square, own: Keypoints, *, by_places: bool) -> Keypoints:
    """The keypoints of every frame of a portrait that follows a built-in motion; those of the first are at rest.

    mesh: of the portrait, (478, 2) in pixels of its picture. square: in which the network sees it. own: what the
    network finds there. by_places: the network's keypoints are those of ``ml.animate.places``; otherwise each follows
    whatever part of the mesh is around it, as an imported network's must.
    """
    from ml.animate.places import keypoints_of
    from ml.networks.fomm.keypoints import Keypoints

    # Lids are not moved by keypoints: see ``ml.animate.lids``.
    meshes = np.stack([square.points(posed(mesh, replace(pose, lids=0.0))) for pose in driver.poses()])
    if by_places:
        return Keypoints(*keypoints_of((meshes + 1) / 2, 2))
    rest = meshes[0].astype(np.float64)
    values, jacobians = [], []
    for each in meshes.astype(np.float64):
        value, turn = _followed(rest, each, own.value[0].astype(np.float64))
        values.append(value)
        jacobians.append(turn @ own.jacobian[0])
    return Keypoints(np.asarray(values, np.float32), np.asarray(jacobians, np.float32))


def _followed(
    rest: NDArray[np.float64], moved: NDArray[np.float64], places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where places (K, 2) go when a mesh moves, and the linear maps (K, 2, 2) there: weighted least squares."""
    height = float(np.ptp(rest[:, 1]))
    away = ((places[:, None] - rest[None]) ** 2).sum(axis=-1)
    weights = np.exp(-away / (2 * (_NEAR * height) ** 2)) + 1e-6
    weights /= weights.sum(axis=1, keepdims=True)
    head = _linear(rest - rest.mean(axis=0), moved - moved.mean(axis=0), np.full(len(rest), 1 / len(rest)))
    nearest = np.sqrt(away.min(axis=1)) / height
    share = np.exp(-((np.maximum(0.0, nearest - 0.02) / _FAR) ** 2))[:, None]
    values, turns = [], []
    for place, weight in zip(places, weights, strict=True):
        before, after = rest - weight @ rest, moved - weight @ moved
        turn = _linear(before, after, weight, head, _PULL * (_NEAR * height) ** 2)
        values.append(weight @ moved + turn @ (place - weight @ rest))
        turns.append(turn)
    value = places + share * (np.asarray(values) - places)
    turn = np.eye(2) + share[..., None] * (np.asarray(turns) - np.eye(2))
    return value, turn


def _linear(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    weight: NDArray[np.float64],
    head: NDArray[np.float64] | None = None,
    pull: float = 0.0,
) -> NDArray[np.float64]:
    spread = (before * weight[:, None]).T @ before + pull * np.eye(2)
    both = (before * weight[:, None]).T @ after
    if head is not None:
        both = both + pull * head.T
    found: NDArray[np.float64] = np.linalg.solve(spread, both).T
    return found


def _eased(times: NDArray[np.float64], keys: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """Values at these times, rising and falling as half a cosine between the keys."""
    at = np.array([key[0] for key in keys])
    values = np.array([key[1] for key in keys])
    index = np.clip(np.searchsorted(at, times, side="right") - 1, 0, len(at) - 2)
    share = np.clip((times - at[index]) / (at[index + 1] - at[index]), 0, 1)
    soft = (1 - np.cos(np.pi * share)) / 2
    found: NDArray[np.float64] = values[index] * (1 - soft) + values[index + 1] * soft
    return found
