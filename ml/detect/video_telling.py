"""What is told about a video: its people, its score over time, its strip of pictures, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ml.detect.video_result import Shot
from ml.faces.face import clipped
from ml.sentences import N_, Sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.detect.crops import Crops
    from ml.detect.people import Moment, PersonVerdict
    from ml.faces.tracking import Sighting, Track
    from ml.media.video import Clip

STRIP: Final = 24
"""Most pictures of the strip."""

NOT_CHECKED: Final = (
    N_("The sound: it was not read at all, so a cloned voice or a changed word goes unnoticed."),
    N_("The frames between those that were looked at."),
    N_("How the picture moves: every frame is judged by itself."),
    N_("Anything but faces: the background, objects, text and the setting."),
)


@dataclass(slots=True, eq=False)
class Seen:
    """The faces of all sampled frames: `crops` run parallel to `sightings`."""

    sightings: list[Sighting]
    crops: list[Crops]
    strip: list[bytes]
    more_faces: bool


@dataclass(slots=True, eq=False)
class Person:
    index: int
    track: Track
    moments: list[Moment]
    rows: list[int]  # of the moments' crops, in `Seen.crops`
    verdict: PersonVerdict

    @property
    def peak(self) -> int:
        """Which of the moments explains the verdict: the worst, or else the largest face."""
        if self.verdict.worst:
            return self.moments.index(self.verdict.worst[0])
        return max(range(len(self.moments)), key=lambda i: self.moments[i].face_px)


def person_told(person: Person, clip: Clip) -> dict[str, Any]:
    verdict, track = person.verdict, person.track
    peak = person.moments[person.peak]
    sighting = next(s for s in track.sightings if s.seconds == peak.seconds)
    return {
        "index": person.index,
        "level": verdict.level.value,
        "probability": verdict.probability,
        "interval": list(verdict.interval) if verdict.interval else None,
        "reason_code": verdict.reason_code,
        "reason": verdict.reason,
        "frames": len(track.sightings),
        "usable": verdict.usable,
        "share_over": round(verdict.share_over, 4),
        "first": round(track.sightings[0].seconds, 3),
        "last": round(track.sightings[-1].seconds, 3),
        "box": list(clipped(sighting.face.box, clip.width, clip.height)),
        "detectors": dict(verdict.detectors or {}),
        "worst": [{"t": round(m.seconds, 3), "probability": m.verdict.probability} for m in verdict.worst],
    }


def timeline_of(clip: Clip, found: Sequence[Person]) -> tuple[dict[str, Any], ...]:
    scores: dict[float, dict[str, float]] = {}
    for person in found:
        for moment in person.moments:
            if moment.is_usable and moment.verdict.probability is not None:
                scores.setdefault(moment.seconds, {})[str(person.index)] = moment.verdict.probability
    rows = []
    scene = 0
    for sample in clip.samples:
        rows.append(
            {
                "t": round(sample.seconds, 3),
                "people": scores.get(sample.seconds, {}),
                "scene_cut": sample.scene != scene,
            }
        )
        scene = sample.scene
    return tuple(rows)


def strip_of(clip: Clip, seen: Seen, timeline: Sequence[dict[str, Any]], found: Sequence[Person]) -> tuple[Shot, ...]:
    """The worst moments of everybody, and for the rest frames spread evenly."""
    places = {sample.seconds: i for i, sample in enumerate(clip.samples)}
    wanted = [places[m.seconds] for p in found for m in p.verdict.worst[:2] if m.seconds in places][:10]
    spare = STRIP - len(set(wanted))
    chosen = set(wanted) | set(np.linspace(0, len(clip.samples) - 1, min(spare, len(clip.samples))).round().astype(int))
    shots = []
    for i in sorted(chosen):
        scores = timeline[i]["people"].values()
        shots.append(Shot(round(clip.samples[i].seconds, 3), max(scores, default=None), seen.strip[i]))
    return tuple(shots)


def not_checked(
    clip: Clip, dropped: int, more_people: int, more_faces: bool, most: int, generators: str
) -> tuple[str, ...]:
    """What was left out. generators: the sentence about faces that were generated wholly."""
    notes = [*NOT_CHECKED, generators]
    if not clip.has_sound:
        notes[0] = N_("Sound: the file has none.")
    if dropped:
        notes.insert(0, Sentence("Faces that were seen in one frame only: %(count)d.", count=dropped))
    if more_people or more_faces:
        notes.insert(0, Sentence("Further people: only the %(count)d that were seen most were judged.", count=most))
    return tuple(notes)
