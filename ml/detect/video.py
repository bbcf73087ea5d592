"""A whole check of a video: sampled frames, faces followed into people, a verdict on each, and the worst decides."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from ml import runtime
from ml.detect import quality
from ml.detect.crops import join
from ml.detect.people import (
    ONE_OFF,
    VIDEO_SENTENCES,
    Moment,
    PersonVerdict,
    judge_person,
    worst_person,
)
from ml.detect.result import FaceFinding
from ml.detect.verdict import Level, Reason, untouched
from ml.detect.video_result import Shot, VideoRequest, VideoResult
from ml.faces.tracking import Sighting, describe, people
from ml.media import encode_jpeg
from ml.media.video import Clip, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from ml.detect.check import Checker
    from ml.detect.crops import Crops
    from ml.faces.tracking import Track

    Report = Callable[[str, int, int], None]

STRIP: Final = 24
"""Most pictures of the strip."""

STRIP_SIDE: Final = 240
DISPLAY_SIDE: Final = 1600

NOT_CHECKED: Final = (
    "The sound: it was not read at all, so a cloned voice or a changed word goes unnoticed.",
    "The frames between those that were looked at.",
    "How the picture moves: every frame is judged by itself.",
    "Whether the whole face was generated: the detectors know face swaps best.",
    "Anything but faces: the background, objects, text and the setting.",
)


@dataclass(slots=True, eq=False)
class _Seen:
    """The faces of all sampled frames: `crops` run parallel to `sightings`."""

    sightings: list[Sighting]
    crops: list[Crops]
    strip: list[bytes]
    more_faces: bool


@dataclass(slots=True, eq=False)
class _Person:
    index: int
    track: Track
    moments: list[Moment]
    rows: list[int]  # of the moments' crops, in `_Seen.crops`
    verdict: PersonVerdict

    @property
    def peak(self) -> int:
        """Which of the moments explains the verdict: the worst, or else the largest face."""
        if self.verdict.worst:
            return self.moments.index(self.verdict.worst[0])
        return max(range(len(self.moments)), key=lambda i: self.moments[i].face_px)


def run(request: VideoRequest, report: Report, checker: Checker | None = None) -> VideoResult:
    """Check one video. `report(stage, done, total)` is told of progress, and may raise to stop the work.

    Stages in order: decode, faces, detectors, explain, verdict. Raises MediaError for a file that cannot be judged.
    """
    if checker is None:
        from ml.detect.check import checker as warm

        checker = warm()
    return _Run(request, report, checker).run()


class _Run:
    def __init__(self, request: VideoRequest, report: Report, checker: Checker) -> None:
        self.request, self.report, self.checker = request, report, checker
        self.timings: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.timings[name] = time.perf_counter() - start

    def run(self) -> VideoResult:
        request = self.request
        with self.stage("decode"):
            preview = None
            if request.renders:
                from ml.media.preview import Preview

                preview = Preview()
            clip = read(
                request.path,
                self.report,
                limits=request.limits,
                samples=request.samples,
                scenes=request.scenes,
                watch=preview.add if preview else None,
            )
            shown = preview.close() if preview else None
        with self.stage("faces"):
            seen = self._look(clip)
            tracks, dropped = people(seen.sightings, least=2 if len(clip.samples) > 3 else 1)
            kept = tracks[: request.max_people]
        with self.stage("detectors"):
            found = self._judge(seen, kept)
        with self.stage("explain"):
            heats = self._explain(seen, found)
        with self.stage("verdict"):
            self.report("verdict", 0, 1)
            result = self._result(clip, seen, found, heats, dropped, len(tracks) - len(kept), shown)
            self.report("verdict", 1, 1)
        return result

    def _look(self, clip: Clip) -> _Seen:
        seen = _Seen([], [], [], False)
        most = self.request.max_people + 1
        for number, sample in enumerate(clip.samples):
            self.report("faces", number, len(clip.samples))
            pixels = sample.pixels()
            faces = self.checker.finder.find(pixels, max_faces=most)
            seen.more_faces = seen.more_faces or len(faces) == most
            crops = self.checker.cut_faces(pixels, faces)
            for i, face in enumerate(faces):
                look = describe(face, crops.shown[i])
                seen.sightings.append(Sighting(number, sample.seconds, sample.scene, face, look))
                seen.crops.append(crops[i : i + 1])
            seen.strip.append(encode_jpeg(_small(pixels, STRIP_SIDE), quality=78) if self.request.renders else b"")
        self.report("faces", len(clip.samples), len(clip.samples))
        return seen

    def _judge(self, seen: _Seen, tracks: Sequence[Track]) -> list[_Person]:
        """All faces of all people through the detectors in one lot, then each person by their own frames."""
        row_of = {id(sighting): row for row, sighting in enumerate(seen.sightings)}
        share = max(1, self.request.max_faces // max(1, len(tracks)))
        chosen = [[row_of[id(sighting)] for sighting in _evenly(track.sightings, share)] for track in tracks]
        calibration = self.checker.calibration
        # A face that is too small is not run at all: its score would be shown and believed.
        rows = [
            row for person in chosen for row in person
            if untouched(seen.sightings[row].face.size, calibration) is None
        ]  # fmt: skip
        self.report("detectors", 0, len(rows))
        lot = join([seen.crops[row] for row in rows]) if rows else None
        evidence = dict(zip(rows, self.checker.evidence(lot, self.report) if lot else [], strict=True))
        found = []
        for index, (track, person) in enumerate(zip(tracks, chosen, strict=True)):
            moments = []
            for row in person:
                sighting, sharp = seen.sightings[row], quality.sharpness(seen.crops[row].shown[0])
                size, told = sighting.face.size, evidence.get(row)
                verdict = self.checker.judge_face(size, told, sharp)
                moments.append(Moment(sighting.seconds, verdict, told, size, sharp))
            judged = judge_person(moments, calibration, self.checker.judge_face)
            found.append(_Person(index, track, moments, person, judged))
        return found

    def _explain(self, seen: _Seen, found: Sequence[_Person]) -> dict[int, bytes]:
        from ml.detect.gradcam import overlay

        heats: dict[int, bytes] = {}
        wanted = [p for p in found if p.moments[p.peak].evidence is not None] if self.request.explain else []
        self.report("explain", 0, len(wanted))
        for done, person in enumerate(wanted, 1):
            crop = seen.crops[person.rows[person.peak]].shown
            heats[person.index] = encode_jpeg(overlay(crop[0], self.checker.gradcam.maps(crop)[0]))
            self.report("explain", done, len(wanted))
        return heats

    def _result(
        self,
        clip: Clip,
        seen: _Seen,
        found: Sequence[_Person],
        heats: dict[int, bytes],
        dropped: int,
        more_people: int,
        preview: bytes | None,
    ) -> VideoResult:
        worst = worst_person([person.verdict for person in found])
        whole = found[worst].verdict if worst is not None else _nobody(bool(seen.sightings))
        display = self._display_frame(clip, seen, found, worst)
        timeline = _timeline(clip, found)
        return VideoResult(
            level=whole.level,
            probability=whole.probability,
            interval=whole.interval,
            reason_code=whole.reason_code,
            reason=whole.reason,
            people=tuple(_told(person, clip) for person in found),
            timeline=timeline,
            faces=tuple(self._finding(p, clip, seen, display, heats.get(p.index)) for p in found),
            strip=_strip(clip, seen, timeline, found) if self.request.renders else (),
            duration=round(clip.seconds, 3),
            frames=clip.frames,
            width=clip.width,
            height=clip.height,
            codec=clip.codec,
            display_jpeg=self._render(clip, display),
            display_seconds=clip.samples[display].seconds if display is not None else None,
            preview_mp4=preview,
            weights_version=self.checker.weights_version,
            thresholds_version=self.checker.calibration.version,
            device=runtime.device_name(),
            timings=self.timings,
            seconds=time.perf_counter() - self._start,
            not_checked=_not_checked(clip, dropped, more_people, seen.more_faces, self.request.max_people),
        )

    def _display_frame(self, clip: Clip, seen: _Seen, found: Sequence[_Person], worst: int | None) -> int | None:
        """The frame that is shown: the worst moment of the worst person, or the middle one where there is nobody."""
        if worst is not None:
            return seen.sightings[found[worst].rows[found[worst].peak]].frame
        return len(clip.samples) // 2 if clip.samples else None

    def _render(self, clip: Clip, display: int | None) -> bytes | None:
        if display is None or not self.request.renders:
            return None
        return encode_jpeg(_small(clip.samples[display].pixels(), DISPLAY_SIDE), quality=88)

    def _finding(
        self, person: _Person, clip: Clip, seen: _Seen, display: int | None, gradcam: bytes | None
    ) -> FaceFinding:
        row = person.rows[person.peak]
        sighting, crop = seen.sightings[row], seen.crops[row].shown[0]
        facts = quality.describe(sighting.face, crop, ())
        facts["seconds"] = round(sighting.seconds, 2)
        there = next((other.face for other in person.track.sightings if other.frame == display), None)
        if there is None:
            facts["elsewhere"] = 1
        box = (there or sighting.face).box
        verdict = person.verdict
        return FaceFinding(
            box=_clipped(box, clip.width, clip.height),
            level=verdict.level,
            probability=verdict.probability,
            detectors=dict(verdict.detectors or {}),
            quality=facts,
            yaw=sighting.face.yaw,
            reason=verdict.reason,
            reason_code=verdict.reason_code,
            crop_jpeg=encode_jpeg(crop) if self.request.renders else None,
            gradcam_jpeg=gradcam,
        )


def _nobody(glimpsed: bool) -> PersonVerdict:
    code = ONE_OFF if glimpsed else Reason.NO_FACE.value
    return PersonVerdict(Level.NOT_APPLICABLE, None, None, code, VIDEO_SENTENCES[code])


def _evenly(sightings: Sequence[Sighting], most: int) -> list[Sighting]:
    if len(sightings) <= most:
        return list(sightings)
    return [sightings[i] for i in np.linspace(0, len(sightings) - 1, most).round().astype(int)]


def _told(person: _Person, clip: Clip) -> dict[str, Any]:
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
        "box": list(_clipped(sighting.face.box, clip.width, clip.height)),
        "detectors": dict(verdict.detectors or {}),
        "worst": [{"t": round(m.seconds, 3), "probability": m.verdict.probability} for m in verdict.worst],
    }


def _timeline(clip: Clip, found: Sequence[_Person]) -> tuple[dict[str, Any], ...]:
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


def _strip(clip: Clip, seen: _Seen, timeline: Sequence[dict[str, Any]], found: Sequence[_Person]) -> tuple[Shot, ...]:
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


def _not_checked(clip: Clip, dropped: int, more_people: int, more_faces: bool, most: int) -> tuple[str, ...]:
    notes = list(NOT_CHECKED)
    if not clip.has_sound:
        notes[0] = "Sound: the file has none."
    if dropped:
        notes.insert(0, f"{dropped} {'face that was' if dropped == 1 else 'faces that were'} seen in one frame only.")
    if more_people or more_faces:
        notes.insert(0, f"Further people: only the {most} that were seen most were judged.")
    return tuple(notes)


def _small(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _clipped(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box
    return (
        min(max(0, round(x0)), width - 1),
        min(max(0, round(y0)), height - 1),
        max(min(width, round(x1)), 1),
        max(min(height, round(y1)), 1),
    )
