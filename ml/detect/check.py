"""A whole check: one picture in, a verdict with its evidence out."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml import runtime
from ml.detect import boundary_map, quality
from ml.detect.calibration import Calibration, shipped, sigmoid
from ml.detect.crops import SHOWN, cut_faces, join
from ml.detect.gradcam import GradCam, overlay
from ml.detect.result import CheckRequest, CheckResult, FaceFinding
from ml.detect.verdict import SENTENCES, Evidence, Reason, Verdict, judge, untouched, worst
from ml.faces.face import clipped
from ml.media import decode, encode_jpeg
from ml.provenance import invisible_mark
from ml.provenance.reading import read_provenance
from ml.sentences import N_, Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.detect.crops import Crops
    from ml.detect.predictor import Predictor
    from ml.faces import Face, FaceFinder

    Report = Callable[[str, int, int], None]

__all__ = ["CheckRequest", "CheckResult", "Checker", "FaceFinding", "checker", "run"]

DISPLAY_SIDE = 1600
"""Longest side in pixels of the copy that is shown."""

MESONETS = ("meso4", "mesoinception4")
"""The detectors whose last convolutions Grad-CAM explains; the boundary detector draws a map of its own."""

REENCODED_QUALITY = 70
"""JPEG quality of the second look: what a messenger or a social network leaves of a picture."""

NOT_CHECKED = (
    N_("Anything but faces: the background, objects, text and the setting."),
    N_(
        "Statements of origin and invisible marks that the file has lost: most programs remove them when a file is "
        "saved."
    ),
    N_("Other kinds of manipulation that the detectors were not trained on, such as light retouching."),
)

NEW_GENERATORS = N_("Faces made by generators that came after these detectors: they can pass as photographs.")
NO_GENERATORS = N_(
    "Whether the whole face was generated: these detectors know swapped faces and let generated ones pass."
)


class Checker:
    """Face finder, detectors and calibration, kept warm between pictures. Use one instance from one thread."""

    def __init__(
        self, finder: FaceFinder, predictor: Predictor, calibration: Calibration, weights_version: str
    ) -> None:
        self.finder = finder
        self.predictor = predictor
        self.calibration = calibration
        self.weights_version = weights_version
        self._gradcam: GradCam | None = None

    @property
    def gradcam(self) -> GradCam:
        """Grad-CAM on what the MesoNets add to the fused logit, made when first asked for."""
        if self._gradcam is None:
            weights = self.calibration.weights
            models = {name: self.predictor.models[name] for name in MESONETS if name in weights}
            # Beside a boundary detector the fusion may hardly listen to them: what counts is one against the other.
            share = {name: weights[name] / self.calibration.temperature[name] for name in models}
            self._gradcam = GradCam(models, share if any(share.values()) else None)
        return self._gradcam

    def warm(self) -> None:
        """Load and trace everything that a check with explanations needs."""
        self.finder.find(np.zeros((64, 64, 3), np.uint8))
        self.predictor.warm()
        self.gradcam.maps(np.zeros((1, SHOWN.size, SHOWN.size, 3), np.uint8))
        runtime.device_name()

    def run(self, request: CheckRequest, report: Report) -> CheckResult:
        """Check one picture. `report(stage, done, total)` is told of progress, and may raise to stop the work.

        Stages in order: decode, provenance, faces, detectors, explain, verdict. Raises MediaError for a file that
        cannot be judged.
        """
        clock = _Clock()
        with clock.stage("decode"):
            report("decode", 0, 1)
            picture = decode(request.path)
            display = _display(picture.pixels) if request.renders else None
            report("decode", 1, 1)
        with clock.stage("provenance"):
            report("provenance", 0, 1)
            provenance = read_provenance(request.path, picture.pixels)
            origin = provenance.as_dict() | invisible_mark.facts(picture.pixels)
            report("provenance", 1, 1)
        with clock.stage("faces"):
            report("faces", 0, 1)
            # One more than is wanted tells whether there are more than were judged.
            found = self.finder.find(picture.pixels, max_faces=request.max_faces + 1)
            faces = found[: request.max_faces]
            crops = self.cut_faces(picture.pixels, faces)
            report("faces", 1, 1)
        with clock.stage("detectors"):
            # A face that is too small is not run at all: its score would be shown and believed.
            judged = [i for i, face in enumerate(faces) if untouched(face.size, self.calibration) is None]
            evidence = dict(zip(judged, self.evidence(crops[judged], report), strict=True))
        with clock.stage("explain"):
            drawn = self._explain(crops, evidence if request.explain else {}, report)
        with clock.stage("verdict"):
            report("verdict", 0, 1)
            verdicts = []
            findings = []
            for i, face in enumerate(faces):
                facts = quality.describe(face, crops.shown[i], picture.jpeg_tables)
                verdict = self.judge_face(face.size, evidence.get(i), float(facts["sharpness"]))
                verdicts.append(verdict)
                crop_jpeg = encode_jpeg(crops.shown[i]) if request.renders else None
                pictures = (crop_jpeg, *drawn.get(i, (None, None)))
                findings.append(self._finding(face, picture.pixels, verdict, evidence.get(i), facts, pictures))
            whole = worst(verdicts, provenance.says_generated)
            report("verdict", 1, 1)
        return CheckResult(
            level=whole.level,
            probability=whole.probability,
            interval=whole.interval,
            reason_code=whole.reason.value,
            reason=SENTENCES[whole.reason],
            faces=tuple(findings),
            width=picture.width,
            height=picture.height,
            display_jpeg=display,
            weights_version=self.weights_version,
            thresholds_version=self.calibration.version,
            device=runtime.device_name(),
            timings=clock.timings,
            seconds=clock.seconds,
            not_checked=self._not_checked(verdicts, len(found) > len(faces)),
            provenance=origin,
            perceptual_hash=provenance.perceptual_hash,
        )

    def cut_faces(self, pixels: NDArray[np.uint8], faces: Sequence[Face]) -> Crops:
        """The faces of a picture uint8 (H, W, 3) as the detectors take them."""
        return cut_faces(pixels, faces, self.predictor.views)

    def evidence(self, crops: Crops, report: Report) -> list[Evidence]:
        """What the detectors say of each face, in the order of the crops: `report("detectors", done, len(crops))`.

        Each face, mirrored and re-encoded, goes in one batch: ten faces fill a call of the predictor. A face and its
        mirror image are equally manipulated: the mean of both is judged, which tells the classes apart better than
        either, and re-encoding shifts that mean as it shifts the face.
        """
        from ml.detect.predictor import CHUNK

        evidence: list[Evidence] = []
        step = CHUNK // 3
        report("detectors", 0, len(crops))
        for start in range(0, len(crops), step):
            plain = crops[start : start + step]
            look = self.predictor.look(join([plain, plain.mirrored(), plain.reencoded(REENCODED_QUALITY)]))
            here, mirrored, again = np.split(look.logits, 3)
            judged = (here + mirrored) / 2
            reencoded = again + (mirrored - here) / 2
            maps: Sequence[NDArray[np.float32] | None] = [None] * len(plain)
            if look.boundary is not None:
                drawn, turned, _ = np.split(look.boundary, 3)
                maps = list((drawn + turned[:, :, ::-1]) / 2)
            for row in range(len(plain)):
                plainly, turned_round, saved = (self._by_name(table[row]) for table in (judged, mirrored, reencoded))
                evidence.append(Evidence(plainly, turned_round, saved, maps[row]))
            report("detectors", len(evidence), len(crops))
        return evidence

    def judge_face(self, face_px: float, evidence: Evidence | None, sharpness: float) -> Verdict:
        """The verdict on one face, or on one person of a video by the evidence of several frames.

        face_px: longer side of the face; sharpness: as `ml.detect.quality.sharpness` of its shown crop. `evidence` may
        be None where the face is too small to be judged, and only there.
        """
        small = untouched(face_px, self.calibration)
        if small is not None:
            return small
        if evidence is None:
            raise ValueError("a face that is large enough is judged by evidence")
        return judge(evidence, sharpness, self.calibration)

    def _by_name(self, logits: NDArray[np.float32]) -> dict[str, float]:
        return dict(zip(self.predictor.names, map(float, logits), strict=True))

    def _explain(
        self, crops: Crops, evidence: Mapping[int, Evidence], report: Report
    ) -> dict[int, tuple[bytes, bytes | None]]:
        """By face, Grad-CAM and the boundary map over it."""
        drawn: dict[int, tuple[bytes, bytes | None]] = {}
        which = list(evidence)
        report("explain", 0, len(which))
        for start in range(0, len(which), 8):
            some = which[start : start + 8]
            for i, heat in zip(some, self.gradcam.maps(crops.shown[some]), strict=True):
                looked_at = encode_jpeg(overlay(crops.shown[i], heat))
                drawn[i] = (looked_at, self._seam(crops.shown[i], evidence[i]))
            report("explain", len(drawn), len(which))
        return drawn

    def _seam(self, crop: NDArray[np.uint8], evidence: Evidence) -> bytes | None:
        if evidence.boundary is None:
            return None
        return encode_jpeg(boundary_map.overlay(crop, evidence.boundary, self.predictor.view["boundary"]))

    def _finding(
        self,
        face: Face,
        pixels: NDArray[np.uint8],
        verdict: Verdict,
        evidence: Evidence | None,
        facts: dict[str, float | int | str],
        pictures: tuple[bytes | None, bytes | None, bytes | None],
    ) -> FaceFinding:
        own = evidence.plain if evidence else {}
        crop_jpeg, gradcam_jpeg, boundary_jpeg = pictures
        return FaceFinding(
            box=clipped(face.box, pixels.shape[1], pixels.shape[0]),
            level=verdict.level,
            probability=verdict.probability,
            detectors={name: sigmoid(self.calibration.logit(name, raw)) for name, raw in own.items()},
            quality=facts,
            yaw=face.yaw,
            reason=SENTENCES[verdict.reason],
            reason_code=verdict.reason.value,
            crop_jpeg=crop_jpeg,
            gradcam_jpeg=gradcam_jpeg,
            boundary_jpeg=boundary_jpeg,
        )

    def _not_checked(self, verdicts: Sequence[Verdict], more: bool) -> tuple[str, ...]:
        notes = [NO_GENERATORS if self.calibration.generated is None else NEW_GENERATORS, *NOT_CHECKED]
        small = sum(verdict.reason is Reason.TOO_SMALL for verdict in verdicts)
        if small:
            notes.insert(0, Sentence("Faces too small to judge: %(count)d.", count=small))
        if more:
            notes.insert(0, Sentence("Further faces: only the %(count)d largest were judged.", count=len(verdicts)))
        return tuple(notes)


class _Clock:
    def __init__(self) -> None:
        self._start = time.perf_counter()
        self.timings: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.timings[name] = time.perf_counter() - start


def _display(pixels: NDArray[np.uint8]) -> bytes:
    height, width = pixels.shape[:2]
    factor = DISPLAY_SIDE / max(height, width)
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return encode_jpeg(pixels, quality=88)


@cache
def checker() -> Checker:
    """The warm checker of this process, with the shipped weights and calibration."""
    runtime.configure()
    from ml.detect.predictor import Predictor
    from ml.faces import FaceFinder
    from ml.weights import store

    calibration = shipped()
    return Checker(FaceFinder(), Predictor.shipped(calibration.detectors), calibration, store.weights_version())


def run(request: CheckRequest, report: Report) -> CheckResult:
    """Check one picture with the shipped detectors; see `Checker.run`."""
    return checker().run(request, report)
