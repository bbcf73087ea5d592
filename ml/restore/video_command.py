"""``python -m ml enhance IN.mp4 OUT.mp4``: one video, frame by frame."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.errors import MediaError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ml.provenance.sealing import Clip
    from ml.restore.video import EnhancedVideo

    Report = Callable[[str, int, int], None]


def is_video(path: Path) -> bool:
    """Whether the file begins as an MP4 and its kin, a WebM or a Matroska file does."""
    from ml.media import header, video_header

    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False  # the decoder of pictures says what is wrong
    return header.sniff(head) is None and video_header.sniff(head) is not None


def enhance(options: argparse.Namespace, report: Report) -> EnhancedVideo[Path]:
    """Enhance the video that the command's options name. Raises MediaError and OSError as ``ml enhance`` does."""
    if options.out.suffix.lower() != ".mp4":
        raise MediaError("unsupported_media", f"A video cannot be saved as {options.out.name!r}: end it in .mp4.")
    if not options.out.parent.is_dir():
        raise MediaError("unreadable", f"There is no folder {options.out.parent} to write to.")
    if options.out.exists() and options.out.samefile(options.picture):
        raise MediaError("unreadable", "The result would overwrite the video itself. Give it another name.")
    if len(options.method or ()) > 1:
        raise MediaError("too_many_methods", "A video takes one method at a time.")
    if options.truth is not None:
        raise MediaError("unsupported_method", "A true picture to compare with can be given for pictures only.")
    from ml import runtime

    runtime.configure()
    from ml.restore.video import VideoRequest, run

    request = VideoRequest(
        options.picture, options.task, (options.method or [None])[0], options.scale, options.strength
    )
    with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".enhance-") as work:
        fresh = Path(work) / "result.mp4"
        result = run(request, report, lambda clip: _written(clip, options, fresh))
        fresh.replace(options.out)
    return result


def _written(clip: Clip, options: argparse.Namespace, fresh: Path) -> Path:
    """The clip as a file that says what was done to it; signed, and marked as what is signed is, where asked for."""
    if options.sign is not None:
        fresh.write_bytes(_sealed(clip, options))
        return Path(options.out)
    from ml.provenance.filming import even, film
    from ml.provenance.plan import SOURCE_TYPES
    from ml.provenance.source_statement import packet, with_box
    from ml.restore.video import source_type_of

    film(fresh, (even(frame) for frame in clip.frames), clip.rate, clip.audio)
    fresh.write_bytes(with_box(fresh.read_bytes(), packet(SOURCE_TYPES + source_type_of(options.picture))))
    return Path(options.out)


def _sealed(clip: Clip, options: argparse.Namespace) -> bytes:
    import secrets

    from ml.media import video_header
    from ml.provenance.authority import Authority
    from ml.provenance.plan import PARENT, Ingredient, ManifestPlan, Work
    from ml.provenance.sealing import seal
    from ml.restore.video import source_type_of
    from ml.restore.writing import ENHANCED

    kind = "video/webm" if video_header.confirm(options.picture) == video_header.MATROSKA else "video/mp4"
    parent = Ingredient(PARENT, options.picture.read_bytes(), kind)
    work = Work.ENHANCEMENT if source_type_of(options.picture) == ENHANCED else Work.RESTORATION
    plan = ManifestPlan(
        work, f"enhance {options.task.value}", secrets.token_hex(16), secrets.token_hex(6), "Unmask",
        ingredients=(parent,), weights={"method": (options.method or ["default"])[0]},
    )  # fmt: skip
    return seal(clip, plan, Authority(options.sign)).data


def in_words(answer: dict[str, Any]) -> str:
    """The result for people, from its fields as a dict."""
    sound = "with sound" if answer["has_sound"] else "without sound"
    return (
        f"{answer['sealed']}: {answer['frames']} frames of {answer['width']} x {answer['height']} px, {sound}, "
        f"{answer['label']} ({answer['origin']})\n  strength {answer['strength']:.2f}, {answer['seconds']:.2f} s on "
        f"{answer['device']}; sharpness {answer['before']['sharpness']:.1f} to {answer['after']['sharpness']:.1f}"
    )
