"""Files made to break a reader: whatever they hold, the answer is facts, or one plain sentence."""

from __future__ import annotations

import io
import json
import random
import struct
import time
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ml.errors import MediaError
from ml.provenance import c2pa_reading, containers, xmp
from ml.provenance.c2pa_reading import STEPS_KEPT
from ml.provenance.exif import read_exif
from ml.provenance.manifest import ManifestState
from ml.provenance.plain_text import plain
from ml.provenance.validation import Problem
from ml.provenance.xmp import read_xmp
from tests.ml.provenance.signed_files import EDITED, GENERATED, Studio, action, app11, drawing, encoded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ml.provenance.conftest import Read


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + data[2:]


def manifest_problem(read: Read, data: bytes) -> Problem | None:
    found = read(data).manifest
    assert found is not None
    assert found.state is ManifestState.UNREADABLE
    assert found.ai == ()
    return found.problem


def test_a_manifest_cut_short_is_said_to_be_damaged(studio: Studio, read: Read) -> None:
    signed = studio.sign(encoded(), GENERATED)
    start, end = app11(signed)
    for kept in (30, 120, (end - start) // 2, end - start - 40):
        segment = b"\xff\xeb" + struct.pack(">H", kept) + signed[start + 4 : start + 2 + kept]
        assert manifest_problem(read, signed[:start] + segment + signed[end:]) is Problem.DAMAGED


@pytest.mark.parametrize("at", [16, 24, 28, 40, 60])
def test_broken_boxes_are_said_to_be_damaged(studio: Studio, read: Read, at: int) -> None:
    signed = bytearray(studio.sign(encoded(), GENERATED))
    start, _ = app11(bytes(signed))
    signed[start + at] ^= 0xFF
    assert manifest_problem(read, bytes(signed)) is Problem.DAMAGED


def test_boxes_within_boxes_do_not_exhaust_the_reader(read: Read) -> None:
    description = struct.pack(">I", 30) + b"jumdc2pa\0\x11\0\x10\x80\0\0\xaa\08\x9bq\x03c2pa\0"
    box = description
    while len(box) < 60_000:
        box = struct.pack(">I", len(box) + 8 + len(description)) + b"jumb" + description + box
    body = b"JP\x02\x11\0\0\0\x01" + box[:60_000]
    start = time.process_time()
    assert manifest_problem(read, with_segment(encoded(), 0xEB, body)) is Problem.DAMAGED
    assert time.process_time() - start < 5


def test_a_giant_manifest_is_not_read(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("handed to the library")

    monkeypatch.setattr(c2pa_reading, "_reader", never)
    body = b"JP\x02\x11\0\0\0\x01" + struct.pack(">I", 9_000_000) + b"jumb" + bytes(65_000)
    data = encoded()
    giant = data[:2] + (b"\xff\xeb" + struct.pack(">H", len(body) + 2) + body) * 140 + data[2:]
    assert len(giant) < 15 * 1024 * 1024
    assert manifest_problem(read, giant) is Problem.TOO_LARGE


def test_a_long_line_of_parents_is_read_in_part(studio: Studio, read: Read) -> None:
    data = studio.sign(encoded(), GENERATED)
    for _ in range(24):
        data = studio.sign(data, action("c2pa.cropped"), EDITED, parent=True)
    start = time.process_time()
    found = read(data)
    assert time.process_time() - start < 5
    assert found.manifest is not None
    assert found.manifest.state is ManifestState.VALID
    assert found.says_generated is True
    assert len(found.manifest.history) == STEPS_KEPT
    assert found.manifest.left_out == 1 + 3 * 24 - STEPS_KEPT
    assert found.manifest.history[0].action == "c2pa.created"


def test_hundreds_of_actions_and_ingredients_are_cut(studio: Studio, read: Read) -> None:
    many = [action("c2pa.edited", description=f"edit {i}") for i in range(300)]
    data = studio.sign(encoded(), GENERATED, *many, inputs=(encoded(drawing(side=32)),) * 60)
    found = read(data).manifest
    assert found is not None
    assert (len(found.history), len(found.ingredients)) == (STEPS_KEPT, 30)
    assert found.left_out == 301 - STEPS_KEPT + 30
    assert len(json.dumps(read(data).as_dict())) < 60_000


def test_texts_are_made_one_short_line(studio: Studio, read: Read) -> None:
    evil = "<script>alert(1)</script>\u202eexe.\u0000\n" + "A" * 5000
    found = read(
        studio.sign(encoded(), action("c2pa.created", softwareAgent=evil, description=evil), title=evil, generator=evil)
    ).manifest
    assert found is not None
    for text in (found.title, found.generator, found.history[0].software, found.history[0].description):
        assert text.startswith("<script>alert(1)</script>"), "shown as it is; escaping belongs to the page"
        assert len(text) <= 130
        assert not {"\u202e", "\0", "\n"} & set(text)


def test_plain_text_keeps_words_and_nothing_else() -> None:
    assert plain("  two\twords\r\n here ") == "two words here"
    assert plain("\ud800ok\u200b\ufeff") == "ok"
    assert plain(b"camera\0rest") == "camera"
    assert plain(b"\xff\xfeCanon") == "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}Canon"
    assert plain(None) == plain({"a": 1}) == plain(True) == ""
    assert plain(3.5) == "3.5"
    assert len(plain("word " * 1000)) <= 120
    assert plain("Zoë 写真 📷") == "Zoë 写真 📷"


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (c + 1, c, c, c, c) for c in range(ord("a"), ord("y")))
    + b']><x:xmpmeta xmlns:x="adobe:ns:meta/">&y;</x:xmpmeta>'
)
EXTERNAL = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>'
    b'<r xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreatorTool>&f;</xmp:CreatorTool></r>'
)
DEEP = b"<a>" * 100_000
WIDE = b"<r>" + b"<a/>" * 100_000 + b"</r>"


@pytest.mark.parametrize("packet", [BOMB, EXTERNAL, DEEP, WIDE, b"<a", b"\xff" * 400, b"<r>&nbsp;</r>"])
def test_hostile_xmp_is_left_alone(packet: bytes, read: Read) -> None:
    start = time.process_time()
    found = read_xmp(packet)
    assert time.process_time() - start < 1
    assert found.readable is False
    assert found.creator_tool == ""
    body = b"http://ns.adobe.com/xap/1.0/\0" + packet[:60_000]
    assert read(with_segment(encoded(), 0xE1, body)).metadata.damaged == ("XMP",)


def test_an_xmp_packet_beyond_the_limit_is_left_alone() -> None:
    assert read_xmp(b"<r>" + b" " * xmp.MAX_BYTES + b"</r>").readable is False


def test_a_compressed_text_does_not_unfold_without_end(read: Read) -> None:
    packed = zlib.compress(bytes(20 * 1024 * 1024), 9)
    body = b"XML:com.adobe.xmp\0\1\0\0\0" + packed
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", zlib.crc32(b"iTXt" + body))
    png = encoded(form="PNG")
    found = containers.parts_of(png[:33] + chunk + png[33:], "PNG")
    assert len(found.xmp) <= containers.MAX_METADATA_BYTES


def ifd(entries: list[tuple[int, int, int, bytes]], following: int = 0) -> bytes:
    rows = b"".join(struct.pack("<HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return struct.pack("<H", len(entries)) + rows + struct.pack("<I", following)


HEAD = b"II*\0" + struct.pack("<I", 8)
LOOPS = {
    "directory that follows itself": HEAD + ifd([(0x010F, 2, 4, b"ABC\0")], following=8),
    "photo directory that is the first": HEAD + ifd([(0x8769, 4, 1, struct.pack("<I", 8))]),
    "place directory that is the first": HEAD + ifd([(0x8825, 4, 1, struct.pack("<I", 8))]),
    "value of four gigabytes": HEAD + ifd([(0x010F, 2, 0xFFFFFFFF, struct.pack("<I", 8))]),
    "fractions over nothing": HEAD + ifd([(0x8769, 4, 1, struct.pack("<I", 26))]) + ifd([(0x829A, 5, 1, bytes(4))]),
    "sixty thousand entries": HEAD + struct.pack("<H", 60_000) + bytes(12_000),
    "directory out of the block": b"II*\0" + struct.pack("<I", 0xFFFFFFF0),
    "no TIFF": b"hello",
    "cut short": HEAD + b"\x05",
}


@pytest.mark.parametrize("name", LOOPS)
def test_hostile_exif_is_left_alone(name: str, read: Read) -> None:
    start = time.process_time()
    found = read_exif(LOOPS[name])
    assert time.process_time() - start < 1
    assert found.has_location is False
    data = with_segment(encoded(), 0xE1, b"Exif\0\0" + LOOPS[name])
    assert read(data).metadata.camera in {"", "ABC"}


def test_exif_that_is_no_text_is_shown_as_far_as_it_is(read: Read) -> None:
    exif = Image.Exif()
    exif[0x010F] = b"\xc3\x28\xa0maker\x01"
    exif[0x0110] = "M\N{RIGHT-TO-LEFT OVERRIDE}1 <b>".encode()
    camera = read(encoded(exif=exif)).metadata.camera
    assert camera.endswith("maker M1 <b>")
    json.dumps(camera).encode()


@pytest.mark.parametrize(
    ("written", "shown"), [("写真屋".encode() + b"\0", "写真屋"), (b"Zo\xeb soft\0\0", "Zoë soft")]
)
def test_exif_in_utf_8_and_in_latin_1(written: bytes, shown: str) -> None:
    block = HEAD + ifd([(0x0131, 2, len(written), struct.pack("<I", 26))]) + written
    assert read_exif(block).software == shown


@pytest.mark.parametrize("seed", range(4))
def test_damage_anywhere_raises_nothing_else(studio: Studio, read: Read, seed: int) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model"
    chance = random.Random(seed)  # noqa: S311
    form, media_type = (("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"))[seed % 3]
    parent = studio.sign(encoded(drawing(side=32), form, exif=exif), GENERATED, media_type=media_type)
    whole = studio.sign(parent, EDITED, parent=True, media_type=media_type)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 2, 8])):
            at = chance.randrange(2, len(data) - 8)
            if chance.random() < 0.7:
                data[at] ^= 1 << chance.randrange(8)
            else:
                del data[at : at + chance.randrange(1, 30)]
        try:
            json.dumps(read(bytes(data)).as_dict())
        except MediaError as error:
            assert error.message.endswith(".")


def test_what_is_no_picture_or_video_is_refused_with_a_sentence(tmp_path: Path, read: Read) -> None:
    from ml.provenance.reading import read_provenance

    for data, code in (
        (b"", "empty"),
        (b"hello", "not_an_image"),
        (encoded(form="GIF"), "unsupported_media"),
        (encoded()[:600], "truncated"),
        (b"\0\0\0\x18ftypmp42" + bytes(200), "truncated"),
        (b"\x1aE\xdf\xa3" + bytes(200), "truncated"),
    ):
        with pytest.raises(MediaError) as caught:
            read(data)
        assert caught.value.code == code
    for path in (tmp_path / "nowhere.jpg", tmp_path):
        with pytest.raises(MediaError) as caught:
            read_provenance(path)
        assert caught.value.code == "unreadable"
    large = tmp_path / "large.mp4"
    with large.open("wb") as file:
        file.truncate(100 * 1024 * 1024 + 1)
    with pytest.raises(MediaError) as caught:
        read_provenance(large)
    assert caught.value.code == "too_large"


def test_pixels_that_were_decoded_already_are_not_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ml.provenance import reading

    path = tmp_path / "picture.jpg"
    path.write_bytes(encoded())
    pixels = np.asarray(Image.open(io.BytesIO(encoded())).convert("RGB"))
    expected = reading.read_provenance(path)

    def never(*_: object) -> None:
        raise AssertionError("decoded twice")

    monkeypatch.setattr(reading, "decode", never)
    assert reading.read_provenance(path, pixels=pixels) == expected
