"""The files of an enhancement: signed with what was done and to what, verified, and small copies of them."""

from __future__ import annotations

import io
import logging
import warnings
from typing import TYPE_CHECKING, Any, Final, Protocol

import c2pa
import numpy as np
from PIL import Image

from enhancement.exchange import SealedPicture
from ml.provenance.authority import Authority
from ml.provenance.perceptual_hash import perceptual_hash
from ml.provenance.plan import PARENT, SOURCE_TYPES, Ingredient, ManifestPlan, Work
from ml.provenance.signing import sign
from ml.provenance.source_statement import packet, with_box
from ml.provenance.verification import InvalidSeal, verify
from ml.restore.writing import ENHANCED

if TYPE_CHECKING:
    from enhancement.exchange import EnhanceJobRequest
    from ml.restore.canvas import Canvas
    from ml.restore.enhance import Enhanced

logger = logging.getLogger(__name__)

SHOWN_SIDE: Final = 2048
"""Longest side in pixels of what a page shows; larger results come with a smaller copy."""
POSTER_SIDE: Final = 480
LOSSLESS_PIXELS: Final = 1_000_000
"""Smaller copies lose nothing: whoever looks at the blocks of a JPEG must not see those of another format."""
QUALITY: Final = 95
CONTENT_TYPES: Final = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


class Facts(Protocol):
    """What a manifest tells of how something was made."""

    @property
    def method(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def source_type(self) -> str: ...


class Seal:
    """Signs the results of one job. parent: the picture that was sent. copy: the same as WebP, made from its pixels."""

    def __init__(self, request: EnhanceJobRequest, parent: Ingredient, copy: bytes, weights: str) -> None:
        self._request = request
        self._parent = parent
        self._copy = Ingredient(PARENT, copy, "image/webp", known_as=parent.sha256)
        self._weights = weights
        self._authority = Authority(request.authority, request.site)

    @property
    def keeps_history(self) -> bool:
        """Whether the manifest that the picture came with, if it had one, is in those of the results."""
        return self._parent is not self._copy

    def picture(self, made: Enhanced, generated: bool) -> SealedPicture:
        """The result itself. generated: what it was made of is; then its looks are remembered, too."""
        suffix = made.path.suffix
        data = self._signed(made.path.read_bytes(), CONTENT_TYPES[suffix], made)
        looks = perceptual_hash(np.asarray(_opened(made).convert("RGB"))) if generated else ""
        return SealedPicture(data, CONTENT_TYPES[suffix], suffix, made.width, made.height, looks, "enhanced")

    def shown(self, made: Enhanced, generated: bool) -> SealedPicture | None:
        """A smaller copy for the page of a large result; else None."""
        return (
            None if max(made.width, made.height) <= SHOWN_SIDE else self._copied(made, generated, SHOWN_SIDE, "shown")
        )

    def poster(self, made: Enhanced, generated: bool) -> SealedPicture:
        """A small copy, for lists."""
        return self._copied(made, generated, POSTER_SIDE, "poster")

    def clip(self, mp4: bytes, first: Image.Image, made: Facts, generated: bool) -> SealedPicture:
        """A film that is written already. first: its first frame, by which it is known again where it is generated."""
        data = self._signed(with_box(mp4, packet(SOURCE_TYPES + made.source_type)), "video/mp4", made)
        looks = perceptual_hash(np.asarray(first)) if generated else ""
        return SealedPicture(data, "video/mp4", ".mp4", first.width, first.height, looks, "enhanced")

    def still(self, image: Image.Image, made: Facts, generated: bool) -> SealedPicture:
        """A small copy of one frame, for lists."""
        return self._reduced(image, made, generated, POSTER_SIDE, "poster")

    def _copied(self, made: Enhanced, generated: bool, side: int, role: str) -> SealedPicture:
        return self._reduced(_opened(made), made, generated, side, role)

    def _reduced(self, image: Image.Image, made: Facts, generated: bool, side: int, role: str) -> SealedPicture:
        icc = image.info.get("icc_profile")
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        data = self._signed(webp(image, icc, packet(SOURCE_TYPES + made.source_type)), "image/webp", made)
        looks = perceptual_hash(np.asarray(image.convert("RGB"))) if generated else ""
        return SealedPicture(data, "image/webp", ".webp", image.width, image.height, looks, role)

    def _sealed(self, data: bytes, content_type: str, made: Facts) -> bytes:
        plan = ManifestPlan(
            work=Work.ENHANCEMENT if made.source_type == ENHANCED else Work.RESTORATION,
            kind=self._request.kind,
            job=self._request.job,
            mark=self._request.mark,
            site=self._request.site,
            ingredients=(self._parent,),
            weights={"method": made.method, "origin": made.origin, "version": self._weights},
        )
        signed = sign(data, content_type, plan, self._authority)
        verify(signed, content_type, self._authority.directory)
        return signed

    def _signed(self, data: bytes, content_type: str, made: Facts) -> bytes:
        """A manifest that is damaged, or that holds a small picture, cannot be taken over: then the parent is named by
        its hash alone."""
        try:
            return self._sealed(data, content_type, made)
        except (c2pa.C2paError, InvalidSeal) as error:
            if self._parent is self._copy:
                raise
            logger.info("the manifest of the source is not taken over: %s", error)
            self._parent = self._copy
            return self._sealed(data, content_type, made)


def _opened(made: Enhanced) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # written a moment ago, by this process
        image = Image.open(made.path)
        image.load()
    return image if image.mode in {"RGB", "RGBA"} else image.convert("RGBA" if "A" in image.getbands() else "RGB")


def reduced(canvas: Canvas, side: int) -> Image.Image:
    """The canvas in 8 bits with its transparency, at most `side` pixels long."""
    from ml.restore.canvas import to_bytes

    layers = canvas.bytes8()
    if canvas.alpha is not None:
        layers = np.dstack([layers, to_bytes(canvas.alpha)])
    image = Image.fromarray(np.ascontiguousarray(layers))
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def webp(image: Image.Image, icc: bytes | None, xmp: bytes = b"") -> bytes:
    """A WebP file with that profile and statement, and no other metadata."""
    options: dict[str, Any] = {"lossless": True} if image.width * image.height <= LOSSLESS_PIXELS else {}
    if icc is not None and icc[16:20] == b"RGB ":
        options["icc_profile"] = icc
    if xmp:
        options["xmp"] = xmp
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=2, **options)
    return out.getvalue()
