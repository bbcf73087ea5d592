"""Videos: their manifest, their container's tags, and containers made to lead elsewhere."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from ml.errors import MediaError
from ml.provenance.manifest import ManifestState
from ml.provenance.software import Kind
from ml.provenance.validation import Problem
from ml.provenance.video_metadata import read_video_metadata, video_boxes
from tests.ml.provenance.signed_files import GENERATED, Studio
from tests.ml.provenance.test_metadata_reading import PACKET, URI

if TYPE_CHECKING:
    from tests.ml.provenance.conftest import Read

C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def video(form: str = "mp4", tags: dict[str, str] | None = None, codec: str = "") -> bytes:
    """Eight frames of a moving gradient."""
    buffer = io.BytesIO()
    options = {"movflags": "use_metadata_tags"} if form in {"mp4", "mov"} else {}
    with av.open(buffer, "w", format=form, options=options) as container:
        container.metadata.update(tags or {})
        stream = container.add_stream(codec or ("vp8" if form == "webm" else "mpeg4"), rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(8):
            pixels = np.add.outer(np.arange(48), np.arange(64) + number).astype(np.uint8)[..., None].repeat(3, 2)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def box(kind: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def test_a_signed_video_decides(studio: Studio, read: Read) -> None:
    found = read(studio.sign(video(), GENERATED, media_type="video/mp4"))
    assert (found.media, found.perceptual_hash, found.compression) == ("video", "", None)
    assert found.manifest is not None
    assert found.manifest.state is ManifestState.VALID
    assert found.says_generated is True
    assert "this video was created by generative AI" in found.summary
    assert json.loads(json.dumps(found.as_dict())) == found.as_dict()


def test_a_changed_video_is_noticed(studio: Studio, read: Read) -> None:
    signed = bytearray(studio.sign(video(), GENERATED, media_type="video/mp4"))
    at = signed.index(b"mdat") + 200
    signed[at] ^= 1
    found = read(bytes(signed))
    assert found.manifest is not None
    assert (found.manifest.state, found.manifest.problem) == (ManifestState.BROKEN, Problem.CHANGED)
    assert found.says_generated is False


@pytest.mark.parametrize("form", ["mp4", "mov"])
def test_tags_of_the_container(read: Read, form: str) -> None:
    tags = {
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone 17",
        "com.apple.quicktime.software": "19.1",
        "com.apple.quicktime.creationdate": "2026-01-02T03:04:05+0100",
        "com.apple.quicktime.location.ISO6709": "+48.8577+002.2950/",
    }
    found = read(video(form, tags))
    facts = found.metadata
    assert (facts.camera, facts.taken, facts.has_location) == ("Apple iPhone 17", "2026-01-02T03:04:05+0100", True)
    assert "19.1" in {each.name for each in facts.software}
    assert facts.encoder == "mpeg4"
    assert "48.8577" not in str(found.as_dict())
    assert found.manifest is None


def test_webm_has_tags_and_no_manifest(read: Read) -> None:
    found = read(video("webm", {"comment": "Made with Runway"}))
    assert found.manifest is None
    assert found.metadata.encoder == "vp8"
    assert any(each.kind is Kind.GENERATOR for each in found.metadata.software)
    assert found.says_generated is False


def test_the_source_type_in_a_video(read: Read) -> None:
    packet = PACKET.format(inside=f"<ext:DigitalSourceType>{URI}</ext:DigitalSourceType>").encode()
    found = read(video() + box(b"uuid", XMP_BOX + packet))
    assert found.digital_source_type is not None
    assert found.digital_source_type.says_generated is True
    assert found.says_generated is False


def test_ruins_of_a_manifest_are_no_manifest_that_was_never_there(read: Read) -> None:
    ruin = box(b"uuid", C2PA_BOX + bytes(4) + b"manifest\0" + bytes(8) + b"nothing that can be read")
    plain = video()
    first = int.from_bytes(plain[:4], "big")
    found = read(plain[:first] + ruin + plain[first:]).manifest
    assert found is not None
    assert (found.state, found.problem) == (ManifestState.UNREADABLE, Problem.DAMAGED)


@pytest.mark.parametrize(
    "tail",
    [
        b"\0\0\0\0uuid",
        b"\0\0\0\1uuid" + b"\xff" * 8,
        b"\0\0\0\2uuid",
        b"\xff\xff\xff\xffuuid",
        b"\0\0\0\x08free" * 9000,
    ],
)
def test_boxes_that_lie_about_their_length(tail: bytes) -> None:
    data = box(b"ftyp", b"mp42") + tail
    assert video_boxes(io.BytesIO(data), len(data)) == (b"", 0)


def test_no_decoder_is_run_that_a_check_would_not_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what it has decoded the library knows how the pixels lie; of what it was not allowed to, it does not."""
    opened, probed = av.open, []

    def spied(*arguments: Any, **options: Any) -> Any:
        container = opened(*arguments, **options)
        probed.append(container.streams[0].codec_context.pix_fmt)
        return container

    data = video("mov", codec="mjpeg")
    monkeypatch.setattr(av, "open", spied)
    assert read_video_metadata(io.BytesIO(data), "mp4").encoder == "mjpeg"
    assert probed == [None]


def test_a_list_of_files_behind_a_video_name_reads_no_other_file(read: Read) -> None:
    for text in (b"ffconcat version 1.0\nfile secret.mp4\n", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n"):
        with pytest.raises(MediaError) as caught:
            read(text)
        assert caught.value.code == "not_an_image"
        with pytest.raises(MediaError):
            read(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + text)


@pytest.mark.parametrize("form", ["mp4", "webm"])
def test_damaged_videos_raise_nothing_else(read: Read, form: str) -> None:
    whole = video(form)
    for at in range(40, len(whole), max(1, len(whole) // 24)):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        for data in (bytes(damaged), whole[:at]):
            try:
                json.dumps(read(data).as_dict())
            except MediaError as error:
                assert error.message.endswith(".")
