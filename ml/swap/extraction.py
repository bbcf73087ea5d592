"""Gathering one person's faces from a clip or photos: the sharp ones, the various ones, and nobody else's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ml.errors import MediaError
from ml.faces import FaceFinder
from ml.media import decode, header, video
from ml.provenance import face_descriptor
from ml.sentences import N_, Sentence
from ml.swap.alignment import align, hull_mask
from ml.swap.face_set import FaceSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.faces import Face

    Report = Callable[[str, int, int], None]

FEWEST = 25
"""Usable faces under which nobody is learned: a decoder then knows the pictures by heart, and nothing of the person."""

MOST = 200
SMALLEST = 56.0  # pixels of face: over half of what the network sees
BLURRED = 10.0  # variance of the Laplacian of the aligned face at 96 pixels
SOFTER = 0.3  # of the median of all faces: what is blurred beside the others of its own clip
LOOKED_AT = 400  # frames of a clip

SAME_PERSON = 0.89
"""Distance of ``ml.provenance.face_descriptor`` up to which two faces are taken for one person's: where it errs as much
either way. Its own threshold refuses strangers; here a stranger is to be dropped."""

YAW_EDGES = (-90.0, -30.0, -12.0, 12.0, 30.0, 90.0)
PITCH_EDGES = (-90.0, -8.0, 12.0, 90.0)
YAW_WORDS = (  # of the picture
    N_("far to the left"),
    N_("to the left"),
    N_("ahead"),
    N_("to the right"),
    N_("far to the right"),
)
PITCH_WORDS = (N_("up"), N_("level"), N_("down"))


@dataclass(frozen=True, slots=True)
class PoseCoverage:
    """How many faces look where: ``counts[pitch][yaw]``.

    Rows are up, level, down; columns go from far left to far right as the picture shows it. The edges are
    ``PITCH_EDGES`` and ``YAW_EDGES``, in degrees.
    """

    counts: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, yaw: NDArray[np.float32], pitch: NDArray[np.float32]) -> PoseCoverage:
        """Count the faces with these angles."""
        # The finder's yaw grows as a face turns to the left edge of the picture.
        table, _, _ = np.histogram2d(pitch, -yaw, bins=(np.array(PITCH_EDGES), np.array(YAW_EDGES)))
        return cls(tuple(tuple(int(n) for n in row) for row in table))

    @property
    def missing(self) -> tuple[str, ...]:
        """What nobody has filmed yet, in words: "ahead", "to the left", "up" and so on."""
        columns = np.sum(self.counts, axis=0)
        rows = np.sum(self.counts, axis=1)
        return tuple(
            [w for w, n in zip(YAW_WORDS, columns, strict=True) if n < 2 and not w.startswith("far")]
            + [w for w, n in zip(PITCH_WORDS, rows, strict=True) if n < 2 and w != "level"]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """The faces that were chosen, what they cover, how many pictures were looked at, and why others were left out.

    dropped: reason -> number; reasons are no_face, too_small, blurred, another_person, not_needed.
    """

    faces: FaceSet
    coverage: PoseCoverage
    looked_at: int
    dropped: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    crop: NDArray[np.uint8]
    points: NDArray[np.float32]
    face: Face
    sharpness: float
    descriptor: NDArray[np.float32]
    picture: int


def extract(
    sources: Sequence[Path], size: int, report: Report, *, most: int = MOST, fewest: int = FEWEST
) -> Extraction:
    """Gather at most ``most`` faces of the person who is seen most, aligned for a network of ``size`` pixels.

    sources: clips and photos of the person. ``report("extract", done, total)`` may raise to stop. Raises MediaError for
    files that cannot be read, with the code too_few_faces where fewer than ``fewest`` faces are usable.
    """
    dropped: Counter[str] = Counter()
    candidates: list[_Candidate] = []
    looked_at = 0
    with FaceFinder() as finder:
        for number, pixels in enumerate(_pictures(sources, report)):
            looked_at += 1
            found = finder.find(pixels, 4)
            if not found:
                dropped["no_face"] += 1
            for face in found:
                if face.size < SMALLEST:
                    dropped["too_small"] += 1
                    continue
                candidates.append(_candidate(pixels, face, size, number))
    median = float(np.median([c.sharpness for c in candidates])) if candidates else 0.0
    sharp = [c for c in candidates if c.sharpness >= max(BLURRED, SOFTER * median)]
    dropped["blurred"] = len(candidates) - len(sharp)
    candidates = sharp
    same = _same_person(candidates)
    dropped["another_person"] = len(candidates) - len(same)
    chosen = _various(same, most)
    dropped["not_needed"] = len(same) - len(chosen)
    yaw = np.array([c.face.yaw for c in chosen], np.float32)
    pitch = np.array([c.face.pitch for c in chosen], np.float32)
    coverage = PoseCoverage.of(yaw, pitch)
    if len(chosen) < fewest:
        raise MediaError("too_few_faces", _too_few(len(chosen), fewest, coverage, dropped))
    faces = FaceSet(size, np.stack([c.crop for c in chosen]), np.stack([c.points for c in chosen]), yaw, pitch)
    return Extraction(faces, coverage, looked_at, {key: n for key, n in dropped.items() if n})


def _pictures(sources: Sequence[Path], report: Report) -> Iterator[NDArray[np.uint8]]:
    each = max(2, LOOKED_AT // max(1, len(sources)))
    for number, source in enumerate(sources):
        report("extract", number, len(sources))
        with source.open("rb") as file:
            still = header.sniff(file.read(64)) is not None
        if still:
            yield decode(source).pixels
            continue
        clip = video.read(source, lambda *_: None, samples=each, scenes=4)
        for at, sample in enumerate(clip.samples):
            if len(sources) == 1:
                report("extract", at, len(clip.samples))
            yield sample.pixels()
    report("extract", len(sources), len(sources))


def _candidate(pixels: NDArray[np.uint8], face: Face, size: int, picture: int) -> _Candidate:
    one = FaceSet.of([(pixels, face)], size)
    plain = align(face.landmarks, 96)
    grey = cv2.cvtColor(plain.cut(pixels), cv2.COLOR_RGB2GRAY)
    inside = hull_mask(plain.points(face.landmarks), 96) > 0
    sharpness = float(np.asarray(cv2.Laplacian(grey, cv2.CV_64F))[inside].var()) if inside.any() else 0.0
    described = face_descriptor.describe(pixels, face)
    return _Candidate(one.crops[0], one.points[0], face, sharpness, described, picture)


def _same_person(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Those who look like the face that most others look like; of two in one picture only the likelier one."""
    if not candidates:
        return []
    vectors = np.stack([c.descriptor for c in candidates])
    gaps = 1.0 - vectors @ vectors.T
    near = gaps <= SAME_PERSON
    middle = int(np.argmax(near.sum(axis=1)))
    # One step further than the threshold around the middle one: a turned head is like a half-turned one, not like both.
    group = near[near[middle]].any(axis=0)
    best: dict[int, int] = {}
    for i in np.flatnonzero(group):
        other = best.get(candidates[i].picture)
        if other is None or gaps[middle, i] < gaps[middle, other]:
            best[candidates[i].picture] = int(i)
    return [candidates[i] for i in sorted(best.values())]


def _various(candidates: Sequence[_Candidate], most: int) -> list[_Candidate]:
    """At most so many: by turns from every pose, the sharpest first, and no two that are all but the same."""
    bins: dict[tuple[int, int], list[_Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: c.sharpness, reverse=True):
        pose = (
            int(np.digitize(-candidate.face.yaw, YAW_EDGES[1:-1])),
            int(np.digitize(candidate.face.pitch, PITCH_EDGES[1:-1])),
        )
        bins.setdefault(pose, []).append(candidate)
    chosen: list[_Candidate] = []
    while len(chosen) < most and any(bins.values()):
        for rest in bins.values():
            if rest and len(chosen) < most:
                chosen.append(rest.pop(0))
    return sorted(chosen, key=lambda c: c.picture)


def _too_few(found: int, fewest: int, coverage: PoseCoverage, dropped: Counter[str]) -> Sentence:
    words: list[str] = [
        Sentence(
            "Only %(found)d usable faces of one person were found; at least %(fewest)d are needed.",
            found=found,
            fewest=fewest,
        )
    ]
    reasons = {
        "too_small": N_("%(count)d too small"),
        "blurred": N_("%(count)d blurred"),
        "no_face": N_("%(count)d without a face"),
        "another_person": N_("%(count)d of somebody else"),
    }
    left_out = [Sentence(said, count=dropped[key]) for key, said in reasons.items() if dropped[key]]
    if left_out:
        words.append(Sentence("Left out: %(faces)s.", faces=Sentence.joined(*left_out, by=", ")))
    words.append(
        N_(
            "Film ten seconds or more of the face alone, near and in even light, while the head turns slowly to the "
            "left, to the right, up and down, and the person speaks."
        )
    )
    if found and coverage.missing:
        words.append(Sentence("Not seen yet: %(poses)s.", poses=Sentence.joined(*coverage.missing, by=", ")))
    return Sentence.joined(*words)


def as_data(coverage: PoseCoverage) -> dict[str, Any]:
    """The coverage as plain data for a page: edges in degrees, counts, and what is missing."""
    return {
        "yaw_edges": list(YAW_EDGES),
        "pitch_edges": list(PITCH_EDGES),
        "counts": [list(row) for row in coverage.counts],
        "missing": list(coverage.missing),
    }
