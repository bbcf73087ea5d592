"""The command line: `python -m ml check FILE...`, and the commands of other modules, each with options of its own."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ml.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ml.detect.result import CheckResult
    from ml.detect.video_result import VideoResult


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["evaluate"]:
        # It has options of its own, and its own help.
        from ml.evaluate.__main__ import main as evaluate

        return int(evaluate(words[1:]) or 0)
    if words[:1] == ["import"]:
        from ml.importers.__main__ import main as import_checkpoint

        return import_checkpoint(words[1:])
    if words[:1] == ["enhance"]:
        from ml.restore.command import main as enhance

        return enhance(words[1:])
    if words[:1] == ["swap"]:
        from ml.swap.command import main as swap

        return swap(words[1:])
    if words[:1] == ["animate"]:
        from ml.animate.command import main as animate

        return animate(words[1:])
    options = _parser().parse_args(words)
    with _clean_stdout() as out:
        for path in options.photos:
            answer = _check(path, options.max_faces)
            out.write((json.dumps(answer) if options.json else _in_words(answer)) + "\n")
            out.flush()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml", description="Check whether faces were manipulated.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="check photos and videos",
        description="Check photos and videos. Every probability is P(manipulated). A file that cannot be judged is "
        "reported as not_applicable with its reason, and is no error.",
    )
    check.add_argument(
        "photos",
        metavar="PHOTO",
        nargs="+",
        type=Path,
        help="a JPEG, PNG or WEBP picture, or an MP4, MOV or WebM video",
    )
    check.add_argument("--json", action="store_true", help="print one JSON object a line")
    check.add_argument("--max-faces", type=_positive, default=20, metavar="N", help="judge the N largest faces (20)")
    commands.add_parser("evaluate", help="measure the detectors on labelled pictures", add_help=False)
    commands.add_parser("import", help="read a public checkpoint of another network", add_help=False)
    commands.add_parser("swap", help="paint a person into a picture or clip, by way of the site", add_help=False)
    commands.add_parser("animate", help="move a still portrait, with a record of consent", add_help=False)
    commands.add_parser("enhance", help="enlarge or repair a picture", add_help=False)
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _check(path: Path, max_faces: int) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        from ml.media.video_header import is_video

        if is_video(path):
            return _check_video(path)
        from ml.detect.check import CheckRequest, checker, run

        if not checker.cache_info().currsize:
            # A file that cannot be read must not wait seconds for the networks to load.
            from ml.media import decode

            decode(path)
        result = run(CheckRequest(path, max_faces=max_faces, renders=False), lambda *_: None)
    except MediaError as error:
        return {
            "path": str(path),
            "level": "not_applicable",
            "probability": None,
            "faces": [],
            "reason": error.message,
            "reason_code": error.code,
            "seconds": round(time.perf_counter() - start, 4),
        }
    return _answer(path, result)


def _check_video(path: Path) -> dict[str, Any]:
    from ml.media.video_header import confirm

    confirm(path)  # before the networks are loaded
    from ml.detect.video import run
    from ml.detect.video_result import VideoRequest

    result = run(VideoRequest(path, renders=False), lambda *_: None)
    own = {
        "people": list(result.people),
        "timeline": list(result.timeline),
        "duration": result.duration,
        "frames": result.frames,
        "codec": result.codec,
    }
    return _answer(path, result) | own


def _answer(path: Path, result: CheckResult | VideoResult) -> dict[str, Any]:
    return {
        "path": str(path),
        "level": result.level.value,
        "probability": result.probability,
        "interval": result.interval,
        "faces": [
            {
                "box": list(face.box),
                "level": face.level.value,
                "probability": face.probability,
                "detectors": face.detectors,
                "quality": face.quality,
                "reason": face.reason,
                "reason_code": face.reason_code,
            }
            for face in result.faces
        ],
        "reason": result.reason,
        "reason_code": result.reason_code,
        "not_checked": list(result.not_checked),
        "size": [result.width, result.height],
        "weights": result.weights_version,
        "thresholds": result.thresholds_version,
        "device": result.device,
        "seconds": round(result.seconds, 4),
    }


def _in_words(answer: dict[str, Any]) -> str:
    head = f"{answer['path']}: {answer['level'].replace('_', ' ')}"
    if answer["probability"] is not None:
        low, high = answer["interval"]
        head += f", P(manipulated) {answer['probability']:.0%} ({low:.0%} to {high:.0%})"
    lines = [head, f"  {answer['reason']}"]
    if "people" in answer:
        for person in answer["people"]:
            score = "not judged" if person["probability"] is None else f"{person['probability']:.0%}"
            lines.append(
                f"  person {person['index'] + 1}, {person['first']:.1f} to {person['last']:.1f} s: "
                f"{person['level'].replace('_', ' ')}, {score}, "
                f"{person['share_over']:.0%} of {person['usable']} frames above the threshold"
            )
    elif len(answer["faces"]) > 1:
        for number, face in enumerate(answer["faces"], 1):
            score = "not judged" if face["probability"] is None else f"{face['probability']:.0%}"
            lines.append(f"  face {number} at {face['box']}: {face['level'].replace('_', ' ')}, {score}")
    return "\n".join(lines)


@contextmanager
def _clean_stdout() -> Iterator[TextIO]:
    """Give the answers a stdout of their own; whatever native libraries print there goes to stderr meanwhile."""
    sys.stdout.flush()
    try:
        saved = os.dup(1)
    except OSError:
        yield sys.stdout
        return
    os.dup2(2, 1)
    try:
        with os.fdopen(saved, "w", encoding="utf-8", errors="backslashreplace", closefd=False) as out:
            yield out
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)


if __name__ == "__main__":
    sys.exit(main())
