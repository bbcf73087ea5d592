"""Words for what the detectors hand over as codes and figures: their names, the reasons of a verdict, and how far the
quality of a face lets it be trusted. Pages and reports say the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .models import FaceFinding

DETECTORS: Final = {
    "meso4": (
        "Meso-4",
        gettext_lazy("Textures between single pixels and whole features: smeared skin, odd eyes and teeth."),
    ),
    "mesoinception4": ("MesoInception-4", gettext_lazy("The same kind of texture, at several scales at once.")),
    "boundary": (
        gettext_lazy("Boundary"),
        gettext_lazy("The seam where one face was put into another picture, whatever made the face."),
    ),
    "synthesis": (
        gettext_lazy("Synthesis"),
        gettext_lazy("The fine pattern that generators leave in a face that no camera ever saw."),
    ),
}

REASONS: Final = {
    "above_threshold": gettext_lazy("The detectors found traces that are typical of a manipulated face."),
    "below_threshold": gettext_lazy("The detectors found none of the traces of manipulation that they know."),
    "between_thresholds": gettext_lazy(
        "The score lies between the thresholds, where the detectors are wrong too often to say either."
    ),
    "no_face": gettext_lazy("No face was found, and only faces can be checked. Use one with a larger, clearer face."),
    "face_too_small": gettext_lazy(
        "The face is too small: its traces were lost when it was made smaller. Use the original file."
    ),
    "blurred": gettext_lazy(
        "The face is too blurred to judge: blur hides the traces of a manipulation, and looks like one."
    ),
    "detectors_disagree": gettext_lazy("The detectors contradict each other about this face, so neither is believed."),
    "unstable_under_reencoding": gettext_lazy(
        "The score changes when the picture is saved again, so it follows the compression, not the face."
    ),
    "wholly_generated": gettext_lazy(
        "The whole face carries the pattern of a generator: it was probably never photographed, rather than altered."
    ),
    "perhaps_generated": gettext_lazy(
        "No trace of a swap was found, but the face carries a weak pattern of a generator: too weak to say so, and too "
        "strong to call the face authentic."
    ),
    "provenance_says_generated": gettext_lazy(
        "The file carries a valid signed statement that a generator made it. That decides, whatever the detectors say."
    ),
    # Of videos, from here on.
    "too_few_frames": gettext_lazy(
        "Too few frames show this face well enough, and single frames of a video are wrong too often."
    ),
    "unstable_over_time": gettext_lazy(
        "The score goes back and forth between manipulated and authentic, so it follows the scene or the compression "
        "more than the face."
    ),
    "suspicious_moments": gettext_lazy(
        "Most of the time no traces were found, but at some moments the score is as high as for manipulated faces. "
        "Look at those moments."
    ),
    "no_steady_face": gettext_lazy("Faces were seen in single frames only, too briefly to judge anybody."),
}


class Trust(StrEnum):
    """How far one fact about the evidence lowers trust in the score."""

    GOOD = "good"
    LESS = "less"
    LITTLE = "little"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One fact about a face, its value as people read it, and what follows from it."""

    name: str
    value: str
    trust: Trust
    words: str


# Where the evaluation's bins of face size begin: below the first, no detector was trained.
SMALL_FACE: Final = 80
MIDDLING_FACE: Final = 120
# The first is what the shipped calibration abstains under; softness begins at twice that.
BLURRED: Final = 0.07
SOFT: Final = 0.14
# Two of the JPEG qualities that the evaluation measures at.
HARD_JPEG: Final = 50
SOME_JPEG: Final = 75

TURNS: Final = {
    "frontal": gettext_lazy("seen from the front"),
    "three-quarter": gettext_lazy("turned three quarters"),
    "profile": gettext_lazy("in profile"),
}
# Shown with a judgement, or elsewhere on the page: the rest of what is known stands under it.
SHOWN: Final = frozenset({"face_px", "sharpness", "jpeg_quality", "yaw", "turn", "seconds", "elsewhere"})


def detector_name(code: str) -> str:
    return str(DETECTORS[code][0]) if code in DETECTORS else code.replace("_", " ").capitalize()


def detector_looks_for(code: str) -> str:
    return str(DETECTORS[code][1]) if code in DETECTORS else ""


def reason(code: str, stored: str) -> str:
    """The reason in the reader's language; as the detectors wrote it where this site has no words for the code."""
    return str(REASONS[code]) if code in REASONS else stored


def judgements(face: FaceFinding) -> list[Judgement]:
    """Face size, blur, compression and the turn of the head, each with how far it lowers trust."""
    quality: Mapping[str, Any] = face.quality
    rows = []
    if isinstance(size := quality.get("face_px"), int | float):
        rows.append(_size(size, face.reason_code))
    if isinstance(sharp := quality.get("sharpness"), int | float):
        rows.append(_sharpness(sharp, face.reason_code))
    rows.append(_compression(quality.get("jpeg_quality")))
    rows.append(_turn(quality.get("turn", ""), quality.get("yaw", face.yaw)))
    return rows


def trust_in(rows: Iterable[Judgement]) -> str:
    """One sentence over all of them: the weakest point decides."""
    found = {row.trust for row in rows}
    if Trust.LITTLE in found:
        return _("At least one of these takes much away from the score: do not lean on it.")
    if Trust.LESS in found:
        return _("The score holds less well than on a large, sharp, lightly compressed face.")
    return _("Nothing here speaks against the score.")


def other_facts(face: FaceFinding) -> list[tuple[str, str]]:
    """What else is known. Keys that this page has no words for are shown as they come: a fact is not left out because
    the page is older than the detectors."""
    seconds = face.quality.get("seconds")
    moment = []
    if isinstance(seconds, int | float):
        moment.append((_("Shown at"), _("%(seconds)s s") % {"seconds": number_format(round(seconds, 1), 1)}))
    return moment + [
        (key.replace("_", " ").capitalize(), number_format(value) if isinstance(value, int | float) else str(value))
        for key, value in face.quality.items()
        if key not in SHOWN
    ]


def _size(pixels: float, reason_code: str) -> Judgement:
    value = _("%(count)s px") % {"count": number_format(round(pixels))}
    if reason_code == "face_too_small":
        return Judgement(_("Face size"), value, Trust.LITTLE, _("Too small: nothing is left to judge."))
    if pixels < SMALL_FACE:
        return Judgement(_("Face size"), value, Trust.LITTLE, _("Small: most of the traces are lost at this size."))
    if pixels < MIDDLING_FACE:
        return Judgement(_("Face size"), value, Trust.LESS, _("Rather small: fine traces may be lost."))
    return Judgement(_("Face size"), value, Trust.GOOD, _("Large enough."))


def _sharpness(sharp: float, reason_code: str) -> Judgement:
    value = number_format(round(sharp, 3), 3)
    if reason_code == "blurred" or sharp < BLURRED:
        words = _("Blurred: blur hides the traces of a manipulation, and looks like one.")
        return Judgement(_("Sharpness"), value, Trust.LITTLE, words)
    if sharp < SOFT:
        return Judgement(_("Sharpness"), value, Trust.LESS, _("Soft: softness is easily taken for a manipulation."))
    return Judgement(_("Sharpness"), value, Trust.GOOD, _("Sharp."))


def _compression(quality: object) -> Judgement:
    name = _("Compression")
    if not isinstance(quality, int | float):
        words = _("The file does not tell how hard it was compressed before.")
        return Judgement(name, _("not known"), Trust.UNKNOWN, words)
    value = _("JPEG quality about %(value)s") % {"value": number_format(round(quality))}
    if quality <= HARD_JPEG:
        return Judgement(name, value, Trust.LITTLE, _("Hard: its blocks cover fine traces and make false ones."))
    if quality < SOME_JPEG:
        return Judgement(name, value, Trust.LESS, _("Noticeable: fine traces may be covered."))
    return Judgement(name, value, Trust.GOOD, _("Light in this copy; an earlier saving may have been harder."))


def _turn(code: object, yaw: object) -> Judgement:
    angle = abs(round(yaw)) if isinstance(yaw, int | float) else 0
    degrees = _("%(degrees)s°") % {"degrees": number_format(angle)}
    turn = TURNS.get(str(code))
    value = f"{turn}, {degrees}" if turn else degrees
    if code == "profile" or (not turn and angle >= 45):
        words = _("Few such faces were there to learn from and to measure by.")
        return Judgement(_("Head"), value, Trust.LESS, words)
    return Judgement(_("Head"), value, Trust.GOOD, _("As most of the faces that the detectors learned from."))
