"""``python -m ml animate PORTRAIT OUT --driver CLIP --consent ID``: a still portrait moved, marked and signed."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.animate.drivers import catalogue
from ml.animate.settings import MOST_MOVEMENT, Caution, Framing, Motion, MotionSettings
from ml.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.animate.animate import AnimateResult
    from ml.provenance.sealing import Clip, Sealed

SITE = "Unmask"
NO_CONSENT = (
    "Nobody is animated without a record of consent. Give the number of the record that was made on the site for the "
    "person in the portrait: --consent ID."
)

_IN_WORDS = {
    Caution.POSE_GAP: "portrait and driver look in different directions at the start: the face may be distorted",
    Caution.SMALL_FACE: "the portrait's face is smaller than the network sees it: the result is soft",
    Caution.LEAVES_SQUARE: "the driver's face leaves its square in some frames",
    Caution.FACE_LOST: "no face was found in some of the driver's frames",
}


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns 0, 1 with the reason on standard error, or 2 without a record of consent."""
    parser = _parser()
    options = parser.parse_args(arguments)
    consent = _record(options.consent)
    if consent is None:
        sys.stderr.write(f"{NO_CONSENT}\n")
        return 2
    try:
        result = _run(options, consent)
    except MediaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename or options.out}: {error.strerror or error}\n")
        return 1
    except _refusals() as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write((json.dumps(_answer(options, result)) if options.json else _in_words(options, result)) + "\n")
    return 0


def _refusals() -> tuple[type[Exception], ...]:
    """What says by itself what is wrong; imported only once something is."""
    from ml.importers import CheckpointError
    from ml.provenance.authority import AuthorityError
    from ml.provenance.verification import InvalidSeal
    from ml.provenance.visible_mark import TooSmall
    from ml.weights import WeightsError

    return CheckpointError, AuthorityError, InvalidSeal, TooSmall, WeightsError


def _record(text: str | None) -> str | None:
    """The number of a record of consent, which is a UUID; None for anything else."""
    try:
        return str(uuid.UUID(text or ""))
    except ValueError:
        return None


def _run(options: argparse.Namespace, consent: str) -> AnimateResult[Sealed]:
    if options.out.suffix.lower() != ".mp4":
        raise MediaError("unreadable", "The result is an MP4: give it a name that ends in .mp4.")
    if not options.out.parent.is_dir():
        raise MediaError("unreadable", f"There is no folder {options.out.parent} to write to.")
    from ml.animate.animate import AnimateRequest, run
    from ml.provenance.authority import Authority
    from ml.provenance.plan import ConsentStatement, Ingredient, ManifestPlan, Work
    from ml.provenance.sealing import seal

    files = {"portrait": options.portrait} | ({"driver": options.driver} if options.driver else {})
    job = secrets.token_hex(16)
    settings = MotionSettings(
        Motion(options.motion), Framing(options.framing), options.movement, not options.from_first_frame
    )
    request = AnimateRequest(
        options.portrait, options.driver, options.built_in, settings, options.model, options.work, SITE
    )
    authority = Authority(options.authority, SITE)

    def sealed(clip: Clip) -> Sealed:
        from ml.animate.model import model_of

        plan = ManifestPlan(
            Work.ANIMATION, "animation", job, secrets.token_hex(6), SITE,
            consents=(ConsentStatement(consent, "portrait", "as recorded", ""),),
            ingredients=tuple(Ingredient(role, path.read_bytes(), _content_type(path)) for role, path in files.items()),
            weights=model_of(options.model).weights,
        )  # fmt: skip
        return seal(clip, plan, authority)

    result = run(request, _Progress(options.quiet or options.json), sealed)
    fresh = options.out.with_name(f".{options.out.name}.part")
    fresh.write_bytes(result.sealed.data)
    fresh.replace(options.out)  # whole or not at all
    return result


def _content_type(path: Path) -> str:
    from ml.media.header import sniff

    with path.open("rb") as file:
        picture = sniff(file.read(64))
    return f"image/{picture.lower()}" if picture else "video/mp4"


class _Progress:
    """Frames done, on standard error, where a person looks on."""

    def __init__(self, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._shown:
            sys.stderr.write(f"\r{stage}: {done} of {total}    " + ("\n" if done == total else ""))
            sys.stderr.flush()


def _answer(options: argparse.Namespace, result: AnimateResult[Sealed]) -> dict[str, Any]:
    return {
        "path": str(options.out),
        "frames": result.frames,
        "size": [result.sealed.width, result.sealed.height],
        "start": result.start,
        "pose_gap": result.pose_gap,
        "cautions": [each.value for each in result.cautions],
        "weights": result.weights,
        "device": result.device,
        "timings": result.timings,
    }


def _in_words(options: argparse.Namespace, result: AnimateResult[Sealed]) -> str:
    sealed = result.sealed
    lines = [
        f"{options.out}: {result.frames} frames, {sealed.width} x {sealed.height} px, marked and signed",
        f"  {result.weights['motion']}; {result.device}, {result.timings['animate']:.1f} s",
    ]
    return "\n".join([*lines, *(f"  {_IN_WORDS[each]}" for each in result.cautions)])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ml animate",
        description="Move a still portrait by a driving clip or by a built-in motion. The result carries the visible "
        "mark on every frame and a signed manifest that names the record of consent.",
    )
    parser.add_argument("portrait", metavar="PORTRAIT", type=Path, help="a JPEG, PNG or WEBP picture")
    parser.add_argument("out", metavar="OUT", type=Path, help="the MP4 to write")
    by = parser.add_mutually_exclusive_group(required=True)
    by.add_argument("--driver", type=Path, metavar="CLIP", help="an MP4, MOV or WebM video of one face")
    by.add_argument("--built-in", choices=[each.slug for each in catalogue()], help="a motion that comes along")
    parser.add_argument("--consent", metavar="ID", help="number of the record of consent of the portrait's person")
    parser.add_argument(
        "--authority", type=Path, metavar="DIR", required=True, help="folder of the site's signing keys"
    )
    parser.add_argument("--motion", choices=list(map(str, Motion)), default=Motion.RELATIVE.value)
    parser.add_argument("--framing", choices=list(map(str, Framing)), default=Framing.PORTRAIT.value)
    parser.add_argument(
        "--movement", type=_movement, default=1.0, metavar="M", help="how much of the motion, 0 to 2 (1)"
    )
    parser.add_argument("--from-first-frame", action="store_true", help="not from the frame most like the portrait")
    parser.add_argument(
        "--model", type=Path, metavar="FILE", help="an imported checkpoint (default: the shipped model)"
    )
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep what was found here, to go on after a break")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser


def _movement(text: str) -> float:
    value = float(text)
    if not 0 <= value <= MOST_MOVEMENT:
        raise argparse.ArgumentTypeError(f"must be 0 to {MOST_MOVEMENT:g}")
    return value
