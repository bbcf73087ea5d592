"""What a video file is by its first bytes, and whether it is whole: read without any decoder."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from ml.errors import MediaError
from ml.sentences import N_

if TYPE_CHECKING:
    from pathlib import Path

ISO, MATROSKA = "iso", "matroska"
SUFFIXES: Final = (".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".3gp", ".avi", ".mpg", ".mpeg", ".wmv", ".flv")
"""Names that announce a video, whether or not it is one that can be checked."""

# `ftyp` is missing from old QuickTime files, which begin with one of these boxes.
_QUICKTIME: Final = (b"moov", b"mdat", b"wide", b"free", b"skip")
_PICTURE_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
_PLAYLIST: Final = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:ffconcat|#EXTM3U|\[playlist\]|(?:<\?xml[^>]*>\s*)?<(?:MPD|smil)|file\s+\S)",
    re.IGNORECASE,
)
_FOREIGN: Final = (
    (b"GIF8", N_("a GIF animation")),
    (b"FLV", N_("a Flash video")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", N_("a Windows Media video")),
    (b"\x00\x00\x01\xba", N_("an MPEG video")),
    (b"\x00\x00\x01\xb3", N_("an MPEG video")),
    (b"OggS", N_("an Ogg file")),
    (b"ID3", N_("a sound file")),
)


def sniff(head: bytes) -> str | None:
    """ "iso" (MP4, MOV and their kin) or "matroska" (WebM, MKV) by the first 4096 bytes; None for anything else."""
    if head[:4] == b"\x1aE\xdf\xa3":
        return MATROSKA if b"webm" in head[:64] or b"matroska" in head[:64] else None
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _PICTURE_BRANDS else ISO
    return ISO if head[4:8] in _QUICKTIME and struct.unpack(">I", head[:4])[0] not in (2, 3, 4, 5, 6, 7) else None


def is_video(path: Path) -> bool:
    """Whether a file is a video, or says in its name that it is one. False where it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return path.suffix.lower() in SUFFIXES
    known_picture = head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or head[8:12] == b"WEBP"
    return sniff(head) is not None or (path.suffix.lower() in SUFFIXES and not known_picture)


def confirm(path: Path) -> str:
    """The container of a video file that is whole, "iso" or "matroska". Raises MediaError for any other file."""
    try:
        if not path.is_file():
            raise MediaError("unreadable", "There is no such file. Check the name and the folder.")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
            if not head:
                raise MediaError("empty", "The file is empty. Choose the video again, or save it anew.")
            found = sniff(head)
            if found is None:
                raise _foreign(head)
            if (found == ISO and not _boxes_are_whole(file, size)) or (found == MATROSKA and _segment_end(head) > size):
                raise truncated()
    except OSError as error:
        raise MediaError("unreadable", "The file could not be read. Check that you may open it.") from error
    return found


def truncated() -> MediaError:
    """The error for a video whose end is missing, or that is damaged throughout."""
    return MediaError(
        "truncated", "The video is damaged or its end is missing. Copy or download it again and check that."
    )


def _foreign(head: bytes) -> MediaError:
    if _PLAYLIST.match(head):
        return MediaError(
            "not_a_video", "The file is a playlist: text that names other files. Choose the video itself."
        )
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        words: str | None = N_("an AVI video")
    else:
        words = next((words for magic, words in _FOREIGN if head.startswith(magic)), None)
    if words is None:
        return MediaError("not_a_video", "The file is not a video. Choose an MP4, MOV or WebM file.")
    return MediaError("unsupported_media", "The file is %(what)s. Save it as MP4 or WebM and check that.", what=words)


def _boxes_are_whole(file: BinaryIO, size: int) -> bool:
    """The boxes of the top level reach exactly to the end, and the one that describes the tracks is among them."""
    at, described = 0, False
    for _ in range(100_000):
        if at == size:
            break
        file.seek(at)
        header = file.read(16)
        if len(header) < 8:
            # A few stray bytes at the end are common, and no decoder minds them.
            return described
        length, name = struct.unpack(">I4s", header[:8])
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack(">Q", header[8:])
        described = described or name == b"moov"
        if length == 0:
            break
        if length < 8 or at + length > size:
            return described and not name.isalnum()  # filling behind the end, not a box that was cut
        at += length
    return described


def _segment_end(head: bytes) -> int:
    """Where a Matroska file says that it ends; 0 where it leaves that open, as recorders in browsers do."""
    id_size, length_size = 4, _vint_size(head[4])
    at = id_size + length_size + _vint(head[4 : 4 + length_size])
    if head[at : at + 4] != b"\x18\x53\x80\x67" or len(head) < at + 12:
        return 0
    length_size = _vint_size(head[at + 4])
    length = _vint(head[at + 4 : at + 4 + length_size])
    unknown = length == (1 << (7 * length_size)) - 1
    return 0 if unknown else at + 4 + length_size + length


def _vint_size(first: int) -> int:
    return 9 - first.bit_length() if first else 8


def _vint(data: bytes) -> int:
    return int.from_bytes(data, "big") & ((1 << (7 * len(data))) - 1)
