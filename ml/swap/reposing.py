"""One portrait turned, lit and moved in many ways, by its face mesh: the variety that a single picture lacks.

The mesh is given the depth of the mean face, turned in space, its lids and jaw moved, and the picture is carried along
triangle by triangle (piecewise affine, with the surroundings held fixed). Light comes from a direction and shows on the
turned mesh. What a camera would newly see when a head turns is not invented, only stretched: so angles stay moderate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.faces import Face
from ml.swap.alignment import FACE_HEIGHT, align, mean_mesh
from ml.swap.face_set import FaceSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 128
MARGIN = 1.7
YAW, PITCH, ROLL = 24.0, 14.0, 6.0
"""Most degrees by which a portrait is turned."""

_AXIS = 0.42  # how far behind the nose's tip the head turns, in heights of the face
UPPER_LIDS = (
    (159, 145), (158, 153), (160, 144), (157, 154), (161, 163), (173, 155), (246, 7),
    (386, 374), (385, 380), (387, 373), (384, 381), (388, 390), (398, 382), (466, 249),
)  # fmt: skip
"""Pairs of mesh points on the upper and the lower lid, the right eye's first."""
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
_UPPER_LIP_MIDDLE, _LOWER_LIP_MIDDLE, _CHIN = 13, 14, 152
_RING = 24
_LIDS_AND_SKIN = 468  # points of the mesh before those of the iris
_TURNED_AWAY = 0.1
_THIN = 1e-6  # pixels squared: a triangle without an inside
_SHIFT = 6  # bits after the point in which triangles are drawn


@dataclass(frozen=True, slots=True)
class Pose:
    """How a portrait is changed. Angles in degrees; ``jaw`` and ``lids`` 0 to 1 (open, shut).

    Yaw turns the face to the right edge of the picture, pitch down, roll clockwise as the viewer sees it.

    ``light``: direction (x, y, z) from which extra light comes, z towards the viewer; ``strength`` 0 to 1 of it.
    ``gain``: what each channel is multiplied by.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    jaw: float = 0.0
    lids: float = 0.0
    light: tuple[float, float, float] = (0.0, 0.0, 1.0)
    strength: float = 0.0
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @classmethod
    def drawn(cls, random: np.random.Generator) -> Pose:
        """A likely one: mostly small turns, the mouth open half of the time, a blink now and then."""
        angle = random.uniform(0, 2 * np.pi)
        height = random.uniform(0.2, 1.0)
        flat = float(np.sqrt(1 - height**2))
        gain = [float(g) for g in np.exp(random.normal(0, 0.08) + random.normal(0, 0.04, 3))]
        return cls(
            yaw=float(np.clip(random.normal(0, YAW / 1.6), -YAW, YAW)),
            pitch=float(np.clip(random.normal(0, PITCH / 1.6), -PITCH, PITCH)),
            roll=float(random.uniform(-ROLL, ROLL)),
            jaw=float(random.uniform(0, 1) if random.random() < 0.5 else 0),
            lids=float(random.uniform(0.3, 1) if random.random() < 0.25 else random.uniform(-0.1, 0.2)),
            light=(flat * float(np.cos(angle)), flat * float(np.sin(angle)), height),
            strength=float(random.uniform(0, 0.5)),
            gain=(gain[0], gain[1], gain[2]),
        )


def repose(
    pixels: NDArray[np.uint8], landmarks: NDArray[np.float32], pose: Pose
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The face of uint8 (H, W, 3) with this mesh (478, 2), changed: a picture of 218 pixels a side and its new mesh."""
    alignment = align(landmarks, SIDE, MARGIN)
    crop, before = alignment.cut(pixels), alignment.points(landmarks).astype(np.float64)
    height = FACE_HEIGHT * SIDE
    moved = _moved(before, height, pose)
    depth = mean_mesh()[:, 2].astype(np.float64) * height
    axis = np.append(before.mean(axis=0), (_AXIS + float(mean_mesh()[1, 2])) * height)
    turn = _rotation(pose)
    after = (np.column_stack([moved, depth]) - axis) @ turn.T + axis
    normals = _normals(before, depth) @ turn.T
    # What turns away is hidden by what is before it; the iris lies behind the lids. Neither may carry the picture.
    carries = normals[:, 2] < -_TURNED_AWAY
    carries[_LIDS_AND_SKIN:] = False
    anchors = _anchors(alignment.size)
    lit = np.column_stack([before, _shade(normals, pose)])[carries]
    sources = np.vstack([lit, np.column_stack([anchors, np.ones(len(anchors))])])
    grid = carried_grid(np.vstack([after[carries, :2], anchors]), sources, alignment.size)
    picture = cv2.remap(
        crop,
        grid[..., 0].astype(np.float32),
        grid[..., 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    picture *= cv2.GaussianBlur(grid[..., 2].astype(np.float32), (0, 0), 2)[..., None] * np.array(pose.gain, np.float32)
    points = after[:, :2].astype(np.float32)
    _open_mouth(picture, points, before, pose.jaw)
    return np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8), points


def face_set(pixels: NDArray[np.uint8], face: Face, count: int, size: int, random: np.random.Generator) -> FaceSet:
    """``count`` reposed faces of one portrait, the first as it is, aligned for a network of ``size`` pixels."""
    made: list[tuple[NDArray[np.uint8], Face]] = []
    for number in range(count):
        pose = Pose() if number == 0 else Pose.drawn(random)
        picture, points = repose(pixels, face.landmarks, pose)
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        box = (float(x0), float(y0), float(x1), float(y1))
        made.append((picture, Face(box, points, 1.0, face.yaw - pose.yaw, face.pitch + pose.pitch, 0.0)))
    return FaceSet.of(made, size)


def carry(
    pixels: NDArray[np.uint8], landmarks: NDArray[np.float32], onto: NDArray[np.float32], width: int, height: int
) -> NDArray[np.uint8]:
    """The face with this mesh, stretched onto another mesh in an empty picture of that size; black outside of it."""
    used = slice(0, _LIDS_AND_SKIN)
    grid = carried_grid(onto[used].astype(np.float64), landmarks[used].astype(np.float64), max(width, height))
    grid = grid[:height, :width]
    out = cv2.remap(
        pixels, grid[..., 0].astype(np.float32), grid[..., 1].astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(np.where(np.isnan(grid[..., :1]), 0, out), np.uint8)


def _moved(points: NDArray[np.float64], height: float, pose: Pose) -> NDArray[np.float64]:
    moved = points.copy()
    if pose.lids:
        for upper, lower in UPPER_LIDS:
            moved[upper] += (points[lower] - points[upper]) * 0.9 * pose.lids
    if pose.jaw:
        mouth = (points[_UPPER_LIP_MIDDLE] + points[_LOWER_LIP_MIDDLE]) / 2
        down = points[_CHIN] - mouth
        reach = float(np.hypot(*down))
        down = down / max(reach, 1e-6)
        along = (points - mouth) @ down / max(reach, 1e-6)  # 0 at the lips' line, 1 at the chin
        across = np.abs((points - mouth) @ np.array([down[1], -down[0]])) / (0.45 * height)
        share = np.clip(along * 8, 0, 1) * np.clip(1.3 - across, 0, 1)
        share[list(INNER_LIPS[11:])] = np.clip(1.2 - across[list(INNER_LIPS[11:])] * 2.5, 0, 1)
        moved += share[:, None] * down * (0.11 * height * pose.jaw)
    return moved


def _rotation(pose: Pose) -> NDArray[np.float64]:
    yaw, pitch, roll = np.radians([pose.yaw, pose.pitch, pose.roll])
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    turn: NDArray[np.float64] = about_z @ about_x @ about_y
    return turn


def _normals(points: NDArray[np.float64], depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where each point of the mesh faces, (N, 3), before the head is turned; the viewer is at -z."""
    # The head is near enough to an egg: its normals point away from a point inside of it.
    middle = np.append(points.mean(axis=0), 1.1 * depth.max())
    normals = (np.column_stack([points, depth]) - middle) * np.array([1.0, 0.8, 1.0])
    unit: NDArray[np.float64] = normals / np.maximum(1e-6, np.linalg.norm(normals, axis=1, keepdims=True))
    return unit


def _shade(normals: NDArray[np.float64], pose: Pose) -> NDArray[np.float64]:
    """How much light each point of the mesh has, 1 being what it had."""
    if pose.strength <= 0:
        return np.ones(len(normals))
    toward = np.array([pose.light[0], pose.light[1], -pose.light[2]])
    lit = np.clip(normals @ toward, 0, 1)
    shade: NDArray[np.float64] = 1 + pose.strength * (lit - lit.mean()) * 1.6
    return np.clip(shade, 0.3, 1.8)


def _anchors(side: int) -> NDArray[np.float64]:
    """Points on a frame around the picture, which stay where they are."""
    line = np.linspace(0, side - 1, _RING // 4 + 1)[:-1]
    last = np.full(len(line), side - 1.0)
    return np.vstack(
        [
            np.column_stack([line, np.zeros(len(line))]),
            np.column_stack([last, line]),
            np.column_stack([side - 1 - line, last]),
            np.column_stack([np.zeros(len(line)), side - 1 - line]),
        ]
    )


def carried_grid(after: NDArray[np.float64], values: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Values given at points (N, 2), linear in each triangle between: (side, side, V); nan outside of all.

    The triangles are Delaunay's. They are drawn with their numbers, and each pixel is computed by its triangle's plane:
    a tenth of the time of SciPy's interpolator, which looks for the triangle of every pixel.
    """
    from scipy.spatial import Delaunay

    triangles = Delaunay(after).simplices
    corners = after[triangles]
    sides = corners[:, 1:] - corners[:, :1]
    area = sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]
    # Those without an inside are left out, and the slim ones drawn first: a drawn edge reaches half a pixel over its
    # triangle, where a slim one's plane leads far off. For the same reason no pixel exceeds its triangle's corners.
    order = np.argsort(np.abs(area))
    order = order[np.abs(area)[order] > _THIN]
    triangles, corners = triangles[order], corners[order]
    # Of each triangle the plane through its values, by Cramer's rule: no linear algebra library, whose threads would
    # wait for each other longer than this takes.
    held = values[triangles]
    first, second = (held[:, 1] - held[:, 0]), (held[:, 2] - held[:, 0])
    (ax, ay), (bx, by) = ((corners[:, k] - corners[:, 0]).T[..., None] for k in (1, 2))
    area = ax * by - bx * ay
    right, down = (first * by - second * ay) / area, (second * ax - first * bx) / area
    base = held[:, 0] - right * corners[:, 0, :1] - down * corners[:, 0, 1:]
    drawn = np.full((side, side), -1, np.int32)
    places = np.rint(corners * 2**_SHIFT).astype(np.int32)
    for number, triangle in enumerate(places):
        cv2.fillConvexPoly(drawn, triangle, (number,), shift=_SHIFT)
    y, x = np.mgrid[:side, :side].astype(np.float64)
    found: NDArray[np.float64] = base[drawn] + right[drawn] * x[..., None] + down[drawn] * y[..., None]
    found = np.clip(found, held.min(axis=1)[drawn], held.max(axis=1)[drawn])
    found[drawn < 0] = np.nan
    return found


def _open_mouth(
    picture: NDArray[np.float32], points: NDArray[np.float32], before: NDArray[np.float64], jaw: float
) -> None:
    """Darken what a closed mouth did not show; in place. A mouth that was open keeps what was in it."""
    was = float(np.hypot(*(before[_LOWER_LIP_MIDDLE] - before[_UPPER_LIP_MIDDLE])))
    now = float(np.hypot(*(points[_LOWER_LIP_MIDDLE] - points[_UPPER_LIP_MIDDLE])))
    if jaw <= 0 or was > 0.04 * SIDE or now < 1:
        return
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.rint(points[list(INNER_LIPS)]).astype(np.int32)], (255,))
    share = cv2.GaussianBlur(inside.astype(np.float32) / 255, (0, 0), 0.8) * min(1.0, (now - was) / (0.03 * SIDE))
    dark = picture.reshape(-1, 3).mean(axis=0) * np.array([0.34, 0.2, 0.2], np.float32)
    picture += (dark - picture) * share[..., None] * 0.85
