"""A whole check of a video: sampled frames, faces followed into people, a verdict on each, and the worst decides."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from ml import runtime
from ml.detect import boundary_map, quality
from ml.detect.check import NEW_GENERATORS, NO_GENERATORS
from ml.detect.crops import join
from ml.detect.gradcam import overlay
from ml.detect.people import (
    ONE_OFF,
    VIDEO_SENTENCES,
    Moment,
    PersonVerdict,
    judge_person,
    worst_person,
)
from ml.detect.result import FaceFinding
from ml.detect.verdict import SENTENCES, Level, Reason, untouched
from ml.detect.video_result import VideoRequest, VideoResult
from ml.detect.video_telling import Person, Seen, not_checked, person_told, strip_of, timeline_of
from ml.errors import MediaError
from ml.faces.face import clipped
from ml.faces.tracking import Sighting, describe, people
from ml.media import encode_jpeg
from ml.media.video import Clip, read
from ml.provenance import invisible_mark
from ml.provenance.reading import read_provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.detect.check import Checker
    from ml.faces.tracking import Track
    from ml.provenance.reading import Provenance

    Report = Callable[[str, int, int], None]
    _Drawn = tuple[bytes | None, bytes | None]

STRIP_SIDE: Final = 240
DISPLAY_SIDE: Final = 1600


def run(request: VideoRequest, report: Report, checker: Checker | None = None) -> VideoResult:
    """Check one video. `report(stage, done, total)` is told of progress, and may raise to stop the work.

    Stages in order: decode, provenance, faces, detectors, explain, verdict. Raises MediaError for a file that cannot be
    judged.
    """
    if checker is None:
        from ml.detect.check import checker as warm

        checker = warm()
    return _Run(request, report, checker).run()


class _Run:
    def __init__(self, request: VideoRequest, report: Report, checker: Checker) -> None:
        self.request, self.report, self.checker = request, report, checker
        self.timings: dict[str, float] = {}
        self.mark: dict[str, str] = {}
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
        with self.stage("provenance"):
            self.report("provenance", 0, 1)
            origin = _origin(request.path)
            self.mark = self._look_for_mark(clip)
            self.report("provenance", 1, 1)
        with self.stage("faces"):
            seen = self._look(clip)
            tracks, dropped = people(seen.sightings, least=2 if len(clip.samples) > 3 else 1)
            kept = tracks[: request.max_people]
        with self.stage("detectors"):
            found = self._judge(seen, kept)
        with self.stage("explain"):
            drawn = self._explain(seen, found)
        with self.stage("verdict"):
            self.report("verdict", 0, 1)
            result = self._result(clip, seen, found, drawn, dropped, len(tracks) - len(kept), shown, origin)
            self.report("verdict", 1, 1)
        return result

    def _look_for_mark(self, clip: Clip) -> dict[str, str]:
        """As `invisible_mark.facts`: of clips that were made by this program every few frames carry one."""
        for number, sample in enumerate(clip.samples):
            self.report("provenance", number, len(clip.samples))
            mark = invisible_mark.read(sample.pixels(), cropped=False)
            if mark is not None:
                return {"mark": mark}
        return {}

    def _look(self, clip: Clip) -> Seen:
        seen = Seen([], [], [], False)
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

    def _judge(self, seen: Seen, tracks: Sequence[Track]) -> list[Person]:
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
            found.append(Person(index, track, moments, person, judged))
        return found

    def _explain(self, seen: Seen, found: Sequence[Person]) -> dict[int, _Drawn]:
        """By person, Grad-CAM and the boundary map over the face of the worst moment."""
        drawn: dict[int, _Drawn] = {}
        wanted = [p for p in found if p.moments[p.peak].evidence is not None] if self.request.explain else []
        self.report("explain", 0, len(wanted))
        for done, person in enumerate(wanted, 1):
            crop = seen.crops[person.rows[person.peak]].shown
            evidence = person.moments[person.peak].evidence
            seam = None
            if evidence is not None and evidence.boundary is not None:
                view = self.checker.predictor.view["boundary"]
                seam = encode_jpeg(boundary_map.overlay(crop[0], evidence.boundary, view))
            drawn[person.index] = (encode_jpeg(overlay(crop[0], self.checker.gradcam.maps(crop)[0])), seam)
            self.report("explain", done, len(wanted))
        return drawn

    def _result(
        self,
        clip: Clip,
        seen: Seen,
        found: Sequence[Person],
        drawn: dict[int, _Drawn],
        dropped: int,
        more_people: int,
        preview: bytes | None,
        origin: Provenance | None,
    ) -> VideoResult:
        worst = worst_person([person.verdict for person in found])
        whole = found[worst].verdict if worst is not None else _nobody(bool(seen.sightings))
        if origin is not None and origin.says_generated:
            signed = Reason.PROVENANCE
            whole = replace(whole, level=Level.LIKELY_MANIPULATED, reason_code=signed.value, reason=SENTENCES[signed])
        display = self._display_frame(clip, seen, found, worst)
        timeline = timeline_of(clip, found)
        generators = NO_GENERATORS if self.checker.calibration.generated is None else NEW_GENERATORS
        return VideoResult(
            level=whole.level,
            probability=whole.probability,
            interval=whole.interval,
            reason_code=whole.reason_code,
            reason=whole.reason,
            people=tuple(person_told(person, clip) for person in found),
            timeline=timeline,
            faces=tuple(self._finding(p, clip, seen, display, drawn.get(p.index, (None, None))) for p in found),
            strip=strip_of(clip, seen, timeline, found) if self.request.renders else (),
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
            not_checked=not_checked(clip, dropped, more_people, seen.more_faces, self.request.max_people, generators),
            provenance=(origin.as_dict() if origin is not None else {}) | self.mark,
        )

    def _display_frame(self, clip: Clip, seen: Seen, found: Sequence[Person], worst: int | None) -> int | None:
        """The frame that is shown: the worst moment of the worst person, or the middle one where there is nobody."""
        if worst is not None:
            return seen.sightings[found[worst].rows[found[worst].peak]].frame
        return len(clip.samples) // 2 if clip.samples else None

    def _render(self, clip: Clip, display: int | None) -> bytes | None:
        if display is None or not self.request.renders:
            return None
        return encode_jpeg(_small(clip.samples[display].pixels(), DISPLAY_SIDE), quality=88)

    def _finding(self, person: Person, clip: Clip, seen: Seen, display: int | None, drawn: _Drawn) -> FaceFinding:
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
            box=clipped(box, clip.width, clip.height),
            level=verdict.level,
            probability=verdict.probability,
            detectors=dict(verdict.detectors or {}),
            quality=facts,
            yaw=sighting.face.yaw,
            reason=verdict.reason,
            reason_code=verdict.reason_code,
            crop_jpeg=encode_jpeg(crop) if self.request.renders else None,
            gradcam_jpeg=drawn[0],
            boundary_jpeg=drawn[1],
        )


def _origin(path: Path) -> Provenance | None:
    """What the file says of where it comes from; None for the few kinds of video of which nothing can be read."""
    try:
        return read_provenance(path)
    except MediaError:
        return None


def _nobody(glimpsed: bool) -> PersonVerdict:
    code = ONE_OFF if glimpsed else Reason.NO_FACE.value
    return PersonVerdict(Level.NOT_APPLICABLE, None, None, code, VIDEO_SENTENCES[code])


def _evenly(sightings: Sequence[Sighting], most: int) -> list[Sighting]:
    if len(sightings) <= most:
        return list(sightings)
    return [sightings[i] for i in np.linspace(0, len(sightings) - 1, most).round().astype(int)]


def _small(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
