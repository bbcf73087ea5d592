"""The report for programs. Its fields are those of the API, with the evidence's hash and the caveat beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from detection import schemas, wording
from jobs.sentences import told

from . import provenance
from .contents import caveat

if TYPE_CHECKING:
    from .contents import Contents

FORMAT: Final = "unmask-report/1"


def document(contents: Contents) -> dict[str, Any]:
    check, original, human = contents.check, contents.check.original, contents.check.human
    about: dict[str, Any] = {"id": str(check.pk), "name": contents.name} if contents.private else {}
    return {
        "format": FORMAT,
        "site": {"name": contents.site, "address": contents.address},
        "made": contents.made.isoformat(),
        "caveat": caveat(),
        "check": {
            **about,
            "checked": check.created.isoformat(),
            "media": check.media,
            "width": check.width,
            "height": check.height,
            "duration": check.duration,
        },
        "original": None
        if original is None
        else {"sha256": original.sha256, "bytes": original.size, "type": original.content_type},
        "human": None if human is None else {**human.as_json(), "sentence": human.sentence},
        "verdict": {
            "level": check.holds,
            "words": contents.words,
            "machine_level": check.level,
            "machine_words": check.get_level_display(),
            "probability": check.probability,
            "interval": check.interval,
            "band": schemas.band_of(check),
            "reason_code": check.reason_code,
            "reason": wording.reason(check.reason_code, check.reason),
        },
        "faces": [
            {"number": face.number, **schemas.face_out(face, contents.address).model_dump(mode="json")}
            for face in contents.faces
        ],
        "people": check.people,
        "timeline": check.timeline,
        "frames": [schemas.frame_out(frame, contents.address).model_dump(mode="json") for frame in contents.frames],
        "provenance": provenance.facts(contents),
        "not_checked": [told(each) for each in check.not_checked],
        "made_with": {
            "weights": check.weights_version,
            "thresholds": check.thresholds_version,
            "device": check.device,
            "seconds": check.seconds,
        },
    }
