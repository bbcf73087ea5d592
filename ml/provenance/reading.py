"""Where a file says that it comes from: its signed manifest, its metadata, and how it was compressed."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from ml.errors import MediaError
from ml.media import decode, header
from ml.provenance.c2pa_reading import MAX_STORE_BYTES, read_manifest, unreadable
from ml.provenance.containers import parts_of
from ml.provenance.manifest import Manifest, ManifestState
from ml.provenance.metadata import Metadata, read_metadata
from ml.provenance.perceptual_hash import perceptual_hash
from ml.provenance.quantisation import Compression, read_compression
from ml.provenance.software import Kind
from ml.provenance.trust import installed_trust_list
from ml.provenance.validation import Problem
from ml.provenance.video_metadata import read_video_metadata, video_boxes, video_kind
from ml.provenance.xmp import XmpFacts, read_xmp

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ml.provenance.source_type import SourceType

VERSION: Final = 1
"""Of the form of `Provenance.as_dict`; a new one when a key changes its meaning or goes."""
MAX_PICTURE_BYTES: Final = 15 * 1024 * 1024
MAX_VIDEO_BYTES: Final = 100 * 1024 * 1024
_MEDIA_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "mp4": "video/mp4"}


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a file says about its origin. Nothing here is a score, and what is absent says nothing.

    media: "picture" or "video". manifest: the C2PA manifest, None without one. digital_source_type: IPTC's, from
    unsigned XMP. compression: of JPEGs only. perceptual_hash: 16 hexadecimal digits; "" for videos and for pictures of
    one colour.
    """

    media: str
    manifest: Manifest | None
    digital_source_type: SourceType | None
    metadata: Metadata
    compression: Compression | None
    perceptual_hash: str

    @property
    def says_generated(self) -> bool:
        """Whether a manifest that holds says that AI made the file or edited it. Unsigned statements do not count."""
        return self.manifest is not None and self.manifest.says_generated

    @property
    def summary(self) -> str:
        """The most important thing that is known, in one plain sentence."""
        if self.manifest is not None:
            return _of_manifest(self.manifest, self.media)
        if self.digital_source_type is not None and self.digital_source_type.says_generated:
            return (
                f"The file says of itself that it was {self.digital_source_type.words}; nobody has signed that, and "
                "anybody could have written it."
            )
        if self.metadata.generator_texts or any(each.kind is Kind.GENERATOR for each in self.metadata.software):
            return "The file carries what image generators write into theirs; nobody has signed that."
        return "The file carries no signed statement of its origin, which says nothing either way."

    def as_dict(self) -> dict[str, Any]:
        """All of it for JSON: plain types, keys named as the fields, with `version`, `summary`, `says_generated`."""
        manifest = asdict(self.manifest) if self.manifest is not None else None
        if self.manifest is not None and manifest is not None:
            manifest["signer"] = self.manifest.signer
            manifest["says_generated"] = self.manifest.says_generated
        answer: dict[str, Any] = _plain(
            {
                "version": VERSION,
                "media": self.media,
                "summary": self.summary,
                "says_generated": self.says_generated,
                "manifest": manifest,
                "digital_source_type": asdict(self.digital_source_type) if self.digital_source_type else None,
                "metadata": asdict(self.metadata) | {"is_empty": self.metadata.is_empty},
                "compression": asdict(self.compression) if self.compression else None,
                "perceptual_hash": self.perceptual_hash,
            }
        )
        return answer


def read_provenance(path: Path, pixels: NDArray[np.uint8] | None = None, anchors: str = "") -> Provenance:
    """Read what a picture or video says about its origin, without any connection to anywhere.

    pixels: uint8 (H, W, 3) RGB, upright, where the caller has decoded the picture already; otherwise it is decoded for
    its perceptual hash. anchors: PEM certificates of authorities to trust besides those that UNMASK_TRUST_LIST names.

    Raises:
        MediaError: the file cannot be read, or is no picture or video that is accepted; nothing else is raised for any
            content whatever.
    """
    anchors = "\n".join(part for part in (installed_trust_list(), anchors) if part)
    with _opened(path) as file:
        head = file.read(64)
        file.seek(0)
        video = video_kind(head)
        if video is not None:
            return _of_video(file, video, anchors)
        data = file.read(MAX_PICTURE_BYTES + 1)
    return _of_picture(data, pixels, anchors)


def _opened(path: Path) -> Any:
    try:
        if not path.is_file():
            raise MediaError("unreadable", "There is no such file. Check the name and the folder.")
        if path.stat().st_size > MAX_VIDEO_BYTES:
            limit = MAX_VIDEO_BYTES // (1024 * 1024)
            raise MediaError(
                "too_large", "The file is larger than %(limit)d MB. Make it shorter or smaller.", limit=limit
            )
        return path.open("rb")
    except (OSError, ValueError) as error:
        if isinstance(error, MediaError):
            raise
        raise MediaError("unreadable", "The file could not be read. Check that you may open it.") from error


def _of_picture(data: bytes, pixels: NDArray[np.uint8] | None, anchors: str) -> Provenance:
    kind = header.sniff(data)
    if kind is None or len(data) > MAX_PICTURE_BYTES:
        decode(data)  # it has a sentence for everything that is not accepted
        raise MediaError("unsupported_media", "The file is no picture or video of a kind that is accepted here.")
    if pixels is None:
        pixels = decode(data).pixels
    parts = parts_of(data, kind)
    metadata, xmp = read_metadata(parts)
    return Provenance(
        media="picture",
        manifest=_manifest(io.BytesIO(data), _MEDIA_TYPES[kind], parts.c2pa_bytes, xmp, anchors),
        digital_source_type=xmp.source_type,
        metadata=metadata,
        compression=read_compression(parts.markers) if kind == "JPEG" else None,
        perceptual_hash=perceptual_hash(pixels),
    )


def _of_video(file: Any, kind: str, anchors: str) -> Provenance:
    metadata = read_video_metadata(file, kind)
    xmp, manifest = XmpFacts(), None
    if kind == "mp4":
        size = file.seek(0, io.SEEK_END)
        packet, c2pa_bytes = video_boxes(file, size)
        xmp = read_xmp(packet)
        manifest = _manifest(file, _MEDIA_TYPES[kind], c2pa_bytes, xmp, anchors)
    return Provenance("video", manifest, xmp.source_type, metadata, None, "")


def _manifest(stream: Any, media_type: str, store_bytes: int, xmp: XmpFacts, anchors: str) -> Manifest | None:
    if store_bytes > MAX_STORE_BYTES:
        return unreadable(Problem.TOO_LARGE)
    if not store_bytes and not xmp.remote_manifest:
        # There is nothing for the library to find, and hostile files without a manifest never reach it.
        return None
    found = read_manifest(stream, media_type, anchors)
    # A manifest of which only ruins are left is not the same as none.
    return unreadable(Problem.DAMAGED) if found is None and store_bytes else found


def _of_manifest(manifest: Manifest, media: str) -> str:
    if manifest.state is not ManifestState.VALID:
        return manifest.sentence
    who = manifest.signer or "somebody without a name"
    vouched = "" if manifest.trusted else ", whom no trust list vouches for"
    if manifest.says_generated:
        words = next(each.source_type.words for each in manifest.ai if each.source_type.says_generated)
        return f"A signed manifest says that this {media} was {words}; it is intact, and signed by {who}{vouched}."
    return f"A signed manifest tells how this {media} came about; it is intact, and signed by {who}{vouched}."


def _plain(value: Any) -> Any:
    """Tuples as lists and enumerations as their values, all the way down, as JSON will give them back."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, str) else value
