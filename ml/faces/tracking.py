"""Faces of single frames put together into people: who is whom from one sampled frame to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from ml.faces.face import overlap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.faces.face import Face

SAME_SHOT: Final = 0.60
"""Highest cost at which a face goes on a track of its own scene. Costs run from 0 (the same) to about 1."""

SAME_PERSON: Final = 0.80
"""Least likeness at which two tracks that never meet in one frame are taken for one person.

Rather two people of one than one of two: a person who is listed twice is judged twice, but a manipulated one who is put
together with another may disappear in the mean."""

_REMEMBERED: Final = 8  # faces of a track that a new one is compared with
_FORGET_SECONDS: Final = 4.0  # a face this long out of sight no longer tells by its place


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One face in one frame: `frame` counts the sampled frames, `look` is what `describe` made of its crop."""

    frame: int
    seconds: float
    scene: int
    face: Face
    look: Look


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How a face looks, for comparing within one video only: it names nobody.

    colour: float32 (192,), shares of hue and lightness in the middle and the margin of the crop.
    pattern: float32 (256,), light and dark at 16 x 16, mean 0 and length 1.
    shape: float32 (2n,), landmarks free of place, size and lean, mean 0 and length 1.
    """

    colour: NDArray[np.float32]
    pattern: NDArray[np.float32]
    shape: NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Track:
    """One person's sightings in order of time, at most one a frame."""

    sightings: list[Sighting] = field(default_factory=list)

    @property
    def frames(self) -> frozenset[int]:
        """The sampled frames in which this person was seen."""
        return frozenset(sighting.frame for sighting in self.sightings)

    @property
    def size(self) -> float:
        """Median of the longer side of the face in pixels."""
        return float(np.median([sighting.face.size for sighting in self.sightings]))


def describe(face: Face, crop: NDArray[np.uint8]) -> Look:
    """The look of a face. crop: uint8 (S, S, 3) RGB, its square as `ml.faces.cut` cuts it."""
    small = np.asarray(cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    hsv = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2HSV), dtype=np.uint8)
    cells = (hsv[..., 0] // 15).astype(np.int64) * 8 + np.minimum(hsv[..., 1] // 64, 3) * 2 + (hsv[..., 2] > 110)
    inner = np.zeros((48, 48), bool)
    inner[10:38, 10:38] = True
    shares = [np.bincount(cells[part], minlength=96) / max(1, part.sum()) for part in (inner, ~inner)]
    grey = cv2.resize(np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)), (16, 16), interpolation=cv2.INTER_AREA)
    return Look(
        colour=np.concatenate(shares).astype(np.float32),
        pattern=_unit(np.asarray(grey, dtype=np.float32).ravel()),
        shape=_shape(face),
    )


def _shape(face: Face) -> NDArray[np.float32]:
    points = face.landmarks[::4].astype(np.float64)
    points = points - points.mean(axis=0)
    lean = math.radians(-face.roll)
    turn = np.array([[math.cos(lean), -math.sin(lean)], [math.sin(lean), math.cos(lean)]])
    return _unit((points @ turn.T).ravel())


def _unit(values: NDArray[Any]) -> NDArray[np.float32]:
    centred = values - values.mean()
    length = float(np.linalg.norm(centred))
    return np.asarray(centred / length if length > 1e-9 else centred, dtype=np.float32)


def likeness(a: Look, b: Look) -> float:
    """How alike two faces look: 1 for the same crop, about 0.5 for two people in two rooms, 0 for opposites."""
    colour = float(np.minimum(a.colour, b.colour).sum()) / 2
    pattern = (1 + float(a.pattern @ b.pattern)) / 2
    # Shapes of faces are all alike: of a correlation, only what is left above .9 tells.
    shape = max(0.0, (float(a.shape @ b.shape) - 0.9) / 0.1)
    return 0.5 * colour + 0.35 * pattern + 0.15 * shape


def people(sightings: Sequence[Sighting], least: int = 2) -> tuple[list[Track], int]:
    """Put sightings together into people, most seen first, and larger faces before smaller.

    sightings: in order of frames. Within a scene place, size and look decide; a cut ends every track, and tracks are
    joined across it by look alone. Returns the people seen in at least `least` frames and how many sightings were
    dropped for belonging to none of them.
    """
    tracks: list[Track] = []
    open_tracks: list[Track] = []
    by_frame: dict[int, list[Sighting]] = {}
    for sighting in sightings:
        by_frame.setdefault(sighting.frame, []).append(sighting)
    scene = None
    for frame in sorted(by_frame):
        faces = by_frame[frame]
        if faces[0].scene != scene:
            scene, open_tracks = faces[0].scene, []
        new = _continue(open_tracks, faces)
        tracks += new
        open_tracks += new
    joined = _joined(tracks)
    kept = [track for track in joined if len(track.sightings) >= least]
    kept.sort(key=lambda track: (len(track.sightings), track.size), reverse=True)
    return kept, len(sightings) - sum(len(track.sightings) for track in kept)


def _continue(tracks: list[Track], faces: list[Sighting]) -> list[Track]:
    """Give each face to the track that it fits best; the others begin tracks, which are returned."""
    taken: set[int] = set()
    if tracks:
        costs = np.array([[_cost(track, face) for face in faces] for track in tracks])
        for row, column in zip(*linear_sum_assignment(costs), strict=True):
            if costs[row, column] <= SAME_SHOT:
                tracks[row].sightings.append(faces[column])
                taken.add(int(column))
    return [Track([face]) for i, face in enumerate(faces) if i not in taken]


def _cost(track: Track, sighting: Sighting) -> float:
    last = track.sightings[-1]
    apart = 1 - overlap(last.face.box, sighting.face.box)
    # Between two samples a head may leave its own place: then its distance, in sizes of itself, tells more.
    away = min(1.0, _distance(last.face, sighting.face) / (2.0 * max(last.face.size, sighting.face.size)))
    grown = min(1.0, abs(math.log(max(1.0, sighting.face.size) / max(1.0, last.face.size))))
    place = 0.4 * apart + 0.4 * away + 0.2 * grown
    trust = max(0.0, 1 - (sighting.seconds - last.seconds) / _FORGET_SECONDS)
    unlike = 1 - max(likeness(seen.look, sighting.look) for seen in track.sightings[-_REMEMBERED:])
    weight = 0.2 + 0.4 * trust
    return weight * place + (1 - weight) * min(1.0, 2 * unlike)


def _joined(tracks: list[Track]) -> list[Track]:
    """Join tracks that look alike and never appear together, likest first."""
    tracks = list(tracks)
    alike = {(a, b): _tracks_alike(tracks[a], tracks[b]) for a in range(len(tracks)) for b in range(a + 1, len(tracks))}
    where = list(range(len(tracks)))  # index of the track that each was joined into
    for (a, b), value in sorted(alike.items(), key=lambda pair: pair[1], reverse=True):
        if value < SAME_PERSON:
            break
        into, other = sorted((where[a], where[b]))
        if into == other or tracks[into].frames & tracks[other].frames:
            continue
        # Each member must resemble each of the others: one look-alike frame must not chain two people together.
        members = [[i for i, place in enumerate(where) if place == side] for side in (into, other)]
        if min(alike[min(x, y), max(x, y)] for x in members[0] for y in members[1]) < SAME_PERSON:
            continue
        merged = sorted([*tracks[into].sightings, *tracks[other].sightings], key=lambda sighting: sighting.frame)
        tracks[into] = Track(merged)
        where = [into if place == other else place for place in where]
    return [tracks[i] for i in sorted(set(where))]


def _tracks_alike(a: Track, b: Track) -> float:
    """Mean likeness of the closest few pairs: people turn their heads, so not every pair need be alike."""
    pairs = [likeness(x.look, y.look) for x in _spread(a.sightings) for y in _spread(b.sightings)]
    return float(np.mean(sorted(pairs, reverse=True)[: max(1, len(pairs) // 4)]))


def _spread(sightings: list[Sighting]) -> list[Sighting]:
    step = max(1, len(sightings) // _REMEMBERED)
    return sightings[::step][:_REMEMBERED]


def _distance(a: Face, b: Face) -> float:
    ax, ay = (a.box[0] + a.box[2]) / 2, (a.box[1] + a.box[3]) / 2
    bx, by = (b.box[0] + b.box[2]) / 2, (b.box[1] + b.box[3]) / 2
    return math.hypot(ax - bx, ay - by)
