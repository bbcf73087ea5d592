"""What a video's container says: from its boxes and tags, without decoding a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

import av

from ml.errors import MediaError
from ml.media.video import DECODERS
from ml.provenance.metadata import Metadata
from ml.provenance.plain_text import plain
from ml.provenance.software import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BOXES: Final = 4096
MAX_XMP_BYTES: Final = 1024 * 1024
_C2PA: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_OPENED: Final = {
    # To guess at a stream, the library decodes some of it: by no other decoders than a check uses, and of few streams.
    "codec_whitelist": ",".join(DECODERS),
    "protocol_whitelist": "file",
    "enable_drefs": "0",
    "max_streams": "32",
    "probesize": "5000000",
    "analyzeduration": "5000000",
}
_PLACES: Final = ("location", "com.apple.quicktime.location.iso6709", "location-eng", "geo")


def video_kind(head: bytes) -> str | None:
    """ "mp4" or "webm" by the first bytes of a file; None for anything else."""
    if head[4:8] == b"ftyp" and head[8:12] not in {b"heic", b"heix", b"mif1", b"avif", b"avis", b"msf1"}:
        return "mp4"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "webm"
    return None


def read_video_metadata(stream: BinaryIO, kind: str) -> Metadata:
    """Camera, dates, programs and encoder as the container's tags have them.

    The demuxer is named and is given a stream instead of a path, so that no file can make it open another.

    Raises:
        MediaError: the container cannot be read.
    """
    try:
        demuxer = "mov" if kind == "mp4" else "matroska"
        with av.open(stream, format=demuxer, options=_OPENED, metadata_errors="replace") as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
            streams = [{key.lower(): value for key, value in each.metadata.items()} for each in container.streams]
            names = " and ".join(
                dict.fromkeys(
                    plain(each.codec_context.name, 20)
                    for each in container.streams
                    if each.type in {"video", "audio"} and each.codec_context is not None
                )
            )
            form = plain(container.format.long_name, 60)
    except (av.FFmpegError, OSError, ValueError, EOFError, IndexError) as error:
        raise MediaError(
            "truncated", "The video is damaged or its end is missing. Copy or download it again and check that."
        ) from error
    make, model = (
        _first(tags, "com.apple.quicktime.make", "com.android.manufacturer", "make"),
        _first(tags, "com.apple.quicktime.model", "com.android.model", "model"),
    )
    encoder = _first(tags, "encoder") or next((found for each in streams if (found := _first(each, "encoder"))), "")
    return Metadata(
        camera=" ".join(part for part in (make, model) if part),
        taken=_first(tags, "com.apple.quicktime.creationdate", limit=40) or _first(tags, "creation_time", limit=40),
        has_location=any(tags.get(name) for name in _PLACES),
        software=named(
            [
                (_first(tags, "com.apple.quicktime.software", "software", "com.android.version"), "container"),
                (_first(tags, "writing_application", "comment"), "container"),
                (encoder, "container"),
            ]
        ),
        container=form,
        encoder=names,
    )


def video_boxes(stream: BinaryIO, size: int) -> tuple[bytes, int]:
    """The XMP packet and the bytes of C2PA among the outermost boxes of an MP4 of `size` bytes."""
    xmp, c2pa_bytes = b"", 0
    for kind, start, length in _boxes(stream, size):
        if kind != b"uuid":
            continue
        stream.seek(start)
        name = stream.read(16)
        if name == _C2PA:
            c2pa_bytes += length
        elif name == _XMP and not xmp and length <= MAX_XMP_BYTES:
            xmp = stream.read(length - 16)
    stream.seek(0)
    return xmp, c2pa_bytes


def _boxes(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, offset of the content, its length) of each outermost box."""
    at = 0
    for _ in range(MAX_BOXES):
        stream.seek(at)
        head = stream.read(16)
        if len(head) < 8:
            return
        length, start = int.from_bytes(head[:4], "big"), at + 8
        if length == 1:
            length, start = int.from_bytes(head[8:16], "big"), at + 16
        elif length == 0:
            length = size - at
        if length < start - at or at + length > size:
            return
        yield head[4:8], start, at + length - start
        at += length


def _first(tags: Mapping[str, str], *names: str, limit: int = 80) -> str:
    return next((found for name in names if (found := plain(tags.get(name, ""), limit))), "")
