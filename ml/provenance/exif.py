"""Facts of an EXIF block: camera, lens, software, dates. Whether it tells a place, never which one."""

from __future__ import annotations

import re
import struct
import warnings
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image

from ml.provenance.plain_text import plain

MAX_BYTES: Final = 256 * 1024
_PHOTO, _GPS = 0x8769, 0x8825
_SERIALS: Final = (0xA431, 0xA435)
_PLACES: Final = (2, 4)
_DATE = re.compile(r"(\d{4})[:-](\d{2})[:-](\d{2})[ T](\d{2}:\d{2}:\d{2})")
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    AttributeError,
    RuntimeError,
    ZeroDivisionError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """Dates are ISO 8601 as the camera's clock had them, with an offset where it noted one; "" for what is not there.

    `has_location` and `has_serial` say that the file tells where it was taken, or which very camera took it: the values
    are not read out, so that they are nowhere to be lost.
    """

    make: str = ""
    model: str = ""
    lens: str = ""
    software: str = ""
    taken: str = ""
    digitised: str = ""
    changed: str = ""
    exposure: str = ""
    width: int | None = None
    height: int | None = None
    has_location: bool = False
    has_serial: bool = False
    comment: str = ""
    readable: bool = True


def read_exif(block: bytes) -> ExifFacts:
    """What the block (a TIFF structure, without "Exif\\0\\0") says. Raises nothing; a damaged one is not `readable`."""
    if not block:
        return ExifFacts()
    if len(block) > MAX_BYTES or block[:4] not in {b"II*\0", b"MM\0*"}:
        return ExifFacts(readable=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of every damaged entry that it leaves out
            return _read(block)
    except _DAMAGE:
        return ExifFacts(readable=False)


def _read(block: bytes) -> ExifFacts:
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + block)
    photo = _ifd(exif, _PHOTO)
    place = _ifd(exif, _GPS)
    make, model = plain(_tag(exif, 0x010F), 60), plain(_tag(exif, 0x0110), 60)
    return ExifFacts(
        make=make,
        model=model,
        lens=plain(_tag(photo, 0xA434), 80),
        software=plain(_tag(exif, 0x0131)),
        taken=_date(_tag(photo, 0x9003), _tag(photo, 0x9011)),
        digitised=_date(_tag(photo, 0x9004), _tag(photo, 0x9012)),
        changed=_date(_tag(exif, 0x0132), _tag(photo, 0x9010)),
        exposure=_exposure(photo),
        width=_size(_tag(photo, 0xA002)),
        height=_size(_tag(photo, 0xA003)),
        has_location=any(tag in place for tag in _PLACES),
        has_serial=any(plain(_tag(photo, tag)) for tag in _SERIALS),
        comment=plain(_comment(_tag(photo, 0x9286)), 200),
    )


def _ifd(exif: Image.Exif, tag: int) -> dict[int, Any]:
    try:
        found = exif.get_ifd(tag)
    except _DAMAGE:
        return {}
    return dict(found) if found else {}


def _tag(of: Any, tag: int) -> Any:
    try:
        value = of.get(tag)
    except _DAMAGE:
        return None
    if isinstance(value, str):
        # Pillow reads text as Latin-1; what is written today is UTF-8.
        try:
            return value.encode("latin-1").decode()
        except UnicodeError:
            return value
    return value


def _date(value: Any, offset: Any) -> str:
    found = _DATE.match(plain(value, 40))
    if found is None or found[1] == "0000":
        return ""
    zone = plain(offset, 10)
    return f"{found[1]}-{found[2]}-{found[3]}T{found[4]}" + (zone if re.fullmatch(r"[+-]\d{2}:\d{2}", zone) else "")


def _exposure(photo: dict[int, Any]) -> str:
    said = []
    time, aperture, length = (_number(_tag(photo, tag)) for tag in (0x829A, 0x829D, 0x920A))
    iso = _tag(photo, 0x8827)
    iso = _number(iso[0] if isinstance(iso, tuple) and iso else iso)
    if time:
        said.append(f"1/{round(1 / time)} s" if time < 0.4 else f"{time:g} s")
    if aperture:
        said.append(f"f/{aperture:.3g}")
    if iso:
        said.append(f"ISO {iso:.0f}")
    if length:
        said.append(f"{length:.4g} mm")
    return ", ".join(said)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except _DAMAGE:
        return None
    return number if 1e-6 < number < 1e6 else None


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 < value < 1_000_000 else None


def _comment(value: Any) -> str:
    if not isinstance(value, bytes):
        return plain(value, 200)
    code, text = value[:8], value[8:2048]
    if code.startswith(b"UNICODE"):
        # Which end comes first is not written down: Latin text tells.
        big = text[:1] == b"\0" or text[:2] == b"\xfe\xff"
        return text[: len(text) // 2 * 2].decode("utf-16-be" if big else "utf-16-le", "replace")
    return text.decode("utf-8", "replace")
