"""``python -m ml enhance IN OUT``: a picture enlarged or repaired, by one or several methods side by side; a video."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.errors import MediaError
from ml.restore import video_command
from ml.restore.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.restore.enhance import EnhanceRequest, EnhanceResult


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns 0, or 1 with the reason on standard error."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.scale is not None and options.task not in {Task.UPSCALE, Task.FACE}:
        parser.error("--scale is for --task upscale and --task face")
    try:
        if video_command.is_video(options.picture):
            return _video(options)
        result = _run(options)
    except MediaError as error:
        sys.stderr.write(f"{options.picture}: {error.message}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{options.out}: {error.strerror or error}\n")
        return 1
    answer = {**asdict(result), "results": [{**asdict(each), "path": str(each.path)} for each in result.results]}
    sys.stdout.write((json.dumps(answer) if options.json else _in_words(answer)) + "\n")
    return 0


def _video(options: argparse.Namespace) -> int:
    result = video_command.enhance(options, _Progress(options.quiet or options.json, "frames"))
    answer = {**asdict(result), "sealed": str(result.sealed)}
    sys.stdout.write((json.dumps(answer) if options.json else video_command.in_words(answer)) + "\n")
    return 0


def _run(options: argparse.Namespace) -> EnhanceResult:
    from dataclasses import replace

    from ml import runtime
    from ml.media import decode
    from ml.restore.writing import format_of

    several = len(options.method or ()) > 1
    folder = options.out.is_dir()
    if several and not folder:
        raise MediaError("unreadable", "Several methods need a folder to write to; there is none of that name.")
    suffix = ".png" if folder else options.out.suffix.lower()
    format_of(Path(f"result{suffix}" if folder else options.out))
    if not options.out.parent.is_dir():
        raise MediaError("unreadable", f"There is no folder {options.out.parent} to write to.")
    if not folder and options.out.exists() and options.out.samefile(options.picture):
        raise MediaError("unreadable", "The result would overwrite the picture itself. Give it another name.")
    decode(options.picture)  # a file that cannot be read must not wait seconds for the networks to load
    runtime.configure()
    from ml.restore.enhance import EnhanceRequest, run

    with tempfile.TemporaryDirectory(dir=options.out if folder else options.out.parent, prefix=".enhance-") as work:
        request = EnhanceRequest(
            options.picture, options.task, Path(work), tuple(options.method or ()), options.scale, options.strength,
            options.truth, suffix, options.quality,
        )  # fmt: skip
        result = run(request, _Progress(options.quiet or options.json))
        placed = []
        for each in result.results:
            name = f"{options.picture.stem}-{each.path.stem.partition('-')[2]}{suffix}"
            target = options.out / name if folder else options.out
            if options.sign is not None:
                _sign(request, each.path, each.method, each.source_type, options.sign)
            each.path.replace(target)
            placed.append(replace(each, path=target))
    return replace(result, results=tuple(placed))


def _sign(request: EnhanceRequest, path: Path, method: str, source_type: str, authority: Path) -> None:
    """Put a signed manifest into the result: what was done, and the hash of what it was done to."""
    import secrets

    from ml.provenance.authority import Authority
    from ml.provenance.plan import PARENT, Ingredient, ManifestPlan, Work
    from ml.provenance.signing import sign
    from ml.restore.writing import ENHANCED, format_of

    data = request.path.read_bytes()
    parent = Ingredient(PARENT, data, _content_type(data))
    work = Work.ENHANCEMENT if source_type == ENHANCED else Work.RESTORATION
    plan = ManifestPlan(
        work, f"enhance {request.task.value}", secrets.token_hex(16), secrets.token_hex(6), "Unmask",
        ingredients=(parent,), weights={"method": method},
    )  # fmt: skip
    path.write_bytes(sign(path.read_bytes(), f"image/{format_of(path).lower()}", plan, Authority(authority)))


def _content_type(data: bytes) -> str:
    from ml.media.header import sniff

    return f"image/{(sniff(data) or 'PNG').lower()}"


class _Progress:
    """Tiles and faces done, and the time that is left at their pace, on standard error, where a person looks on."""

    def __init__(self, quiet: bool, steps: str = "steps") -> None:
        self._shown, self._steps = not quiet and sys.stderr.isatty(), steps
        self._begun = time.monotonic()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if not self._shown or stage != "enhance":
            return
        if not done:
            self._begun = time.monotonic()
        left = (time.monotonic() - self._begun) * (total - done) / max(1, done)
        about = f", about {left / 60:.0f} min left" if done and left >= 60 else ""
        line = f"{done} of {total} {self._steps}{about}"
        sys.stderr.write(f"\r{line:48}" + ("\n" if done == total else ""))
        sys.stderr.flush()


def _in_words(answer: dict[str, Any]) -> str:
    before = answer["before"]
    lines = [f"{answer['width']} x {answer['height']} px, {_figures(before)}"]
    for each in answer["results"]:
        lines.append(f"{each['path']}: {each['width']} x {each['height']} px, {each['label']} ({each['origin']})")
        about = f"  strength {each['strength']:.2f}, {each['seconds']:.2f} s on {answer['device']}"
        lines.append(f"{about}; {_figures(each['measures'])}")
        lines += [f"  {note}" for note in each["notes"]]
    return "\n".join(lines)


def _figures(measures: dict[str, Any]) -> str:
    words = f"sharpness {measures['sharpness']:.1f}, noise {measures['noise']:.1f}"
    if measures["psnr"] is not None:
        words += f", PSNR {measures['psnr']:.2f} dB"
    words += f", SSIM {measures['ssim']:.4f}" if measures["ssim"] is not None else ""
    return words + (f", perceptual {measures['perceptual']:.3f}" if measures["perceptual"] is not None else "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ml enhance",
        description="Enlarge or repair one picture, or a video frame by frame. Transparency, colour profile and 16 "
        "bits (PNG) are kept. The copy says in its metadata that it was enhanced by an algorithm.",
    )
    parser.add_argument("picture", metavar="IN", type=Path, help="a JPEG, PNG or WEBP file, or a video")
    parser.add_argument("out", metavar="OUT", type=Path, help=".png, .jpg, .webp or .mp4; a folder for several methods")
    parser.add_argument("--task", type=Task, choices=list(Task), required=True, metavar="|".join(Task))
    parser.add_argument(
        "--method", action="append", metavar="NAME",
        help="upscale: compact, esrgan, bicubic, lanczos, imported:FILE; face: dictionary, imported:FILE; "
        "denoise: restorer, nlmeans; deblur: restorer, unsharp; jpeg: restorer. The first of each is the default; "
        "may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--scale",
        type=int,
        metavar="N",
        help="upscale: 2 (default) or 4, interpolation also 3, esrgan 4 alone; face: 1 (default), 2, 4",
    )
    parser.add_argument("--strength", type=float, metavar="S", help="0 to 1 (default: what the picture tells)")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="the picture as it should be, for PSNR and SSIM")
    parser.add_argument("--quality", type=int, default=92, choices=range(1, 101), metavar="Q", help="of JPEG (92)")
    parser.add_argument("--sign", type=Path, metavar="DIR", help="sign the result with the authority kept in DIR")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser
