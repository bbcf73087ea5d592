"""What files tell without a signature: cameras, dates, programs, and what generators leave behind."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from ml.provenance.software import Kind, kind_of
from ml.provenance.source_type import source_type
from ml.provenance.xmp import read_xmp
from tests.ml.provenance.signed_files import drawing, encoded

if TYPE_CHECKING:
    from tests.ml.provenance.conftest import Read

PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:mm="http://ns.adobe.com/xap/1.0/mm/" xmlns:ev="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
 xmp:CreatorTool="Adobe Photoshop 27.0 (Windows)">{inside}
<mm:History><rdf:Seq>
<rdf:li ev:action="saved" ev:softwareAgent="Adobe Photoshop 27.0 (Windows)"/>
<rdf:li rdf:parseType="Resource"><ev:action>converted</ev:action><ev:softwareAgent>Snapseed</ev:softwareAgent></rdf:li>
</rdf:Seq></mm:History></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
URI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def with_xmp(inside: str = "", form: str = "JPEG") -> bytes:
    packet = PACKET.format(inside=inside).encode()
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=True)
        return encoded(form="PNG", pnginfo=info)
    return encoded(form=form, xmp=packet)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "inside",
    [
        f"<ext:DigitalSourceType>{URI}</ext:DigitalSourceType>",
        f'<ext:DigitalSourceType rdf:resource="{URI}"/>',
        "<ext:DigitalSourceType>\n  digsrctype:trainedAlgorithmicMedia </ext:DigitalSourceType>",
        f"<ext:DigitalSourceType><rdf:Bag><rdf:li>{URI}</rdf:li></rdf:Bag></ext:DigitalSourceType>",
    ],
)
def test_the_source_type_is_read_and_does_not_decide(read: Read, form: str, inside: str) -> None:
    found = read(with_xmp(inside, form))
    assert found.digital_source_type is not None
    assert found.digital_source_type.code == "trainedAlgorithmicMedia"
    assert found.says_generated is False
    assert "nobody has signed that" in found.summary


def test_the_edit_history_of_xmp_names_its_programs(read: Read) -> None:
    found = read(with_xmp()).metadata
    assert [(each.name, each.kind, each.where) for each in found.software] == [
        ("Adobe Photoshop 27.0 (Windows)", Kind.EDITOR, "XMP"),
        ("Snapseed", Kind.EDITOR, "XMP"),
    ]
    assert found.edit_events == 2
    assert found.damaged == ()


def test_what_was_written_before_the_damage_is_read() -> None:
    packet = PACKET.format(inside=f"<ext:DigitalSourceType>{URI}</ext:DigitalSourceType>").encode()
    found = read_xmp(packet[: packet.index(b"<mm:History>")])
    assert found.readable is False
    assert found.source_type is not None


def test_another_namespace_is_another_property() -> None:
    packet = PACKET.format(inside=f"<ext:DigitalSourceType>{URI}</ext:DigitalSourceType>")
    assert read_xmp(packet.replace("http://iptc.org/std", "http://example.org/std").encode()).source_type is None


@pytest.mark.parametrize(
    ("written", "code", "generated"),
    [
        (URI, "trainedAlgorithmicMedia", True),
        (URI.replace("http:", "https:") + "/", "trainedAlgorithmicMedia", True),
        ("TrainedAlgorithmicMedia", "trainedAlgorithmicMedia", True),
        ("digsrctype:compositeWithTrainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", True),
        ("http://c2pa.org/digitalsourcetype/empty", "empty", False),
        ("digitalCapture", "digitalCapture", False),
        ("http://example.org/trainedAlgorithmicMedia", "http://example.org/trainedAlgorithmicMedia", False),
        ("<b>anything</b>", "<b>anything</b>", False),
    ],
)
def test_source_types_by_every_spelling(written: str, code: str, generated: bool) -> None:
    found = source_type(written)
    assert found is not None
    assert (found.code, found.says_generated) == (code, generated)
    assert found.words


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Canon", "Canon EOS R5", "Adobe Lightroom 9.1"
    exif[0x0132] = "2026:02:03 10:11:12"
    photo = exif.get_ifd(0x8769)
    photo[0x9003], photo[0x9011] = "2026:01:02 03:04:05", "+01:00"
    photo[0x9004] = "2026:01:02 03:04:05"
    photo[0xA434], photo[0xA431] = "RF50mm F1.2 L USM", "SERIAL-0042"
    photo[0x829A] = TiffImagePlugin.IFDRational(1, 250)
    photo[0x829D], photo[0x920A] = TiffImagePlugin.IFDRational(28, 10), TiffImagePlugin.IFDRational(50, 1)
    photo[0x8827] = 400
    photo[0xA002], photo[0xA003] = 8192, 5464
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.62), 3: "E", 4: (2.0, 17.0, 40.2)})
    return exif


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_camera_facts(read: Read, form: str) -> None:
    found = read(encoded(form=form, exif=camera_exif()))
    facts = found.metadata
    assert (facts.camera, facts.lens) == ("Canon EOS R5", "RF50mm F1.2 L USM")
    assert (facts.taken, facts.changed) == ("2026-01-02T03:04:05+01:00", "2026-02-03T10:11:12")
    assert facts.exposure == "1/250 s, f/2.8, ISO 400, 50 mm"
    assert facts.noted_size == (8192, 5464)
    assert [(each.name, each.kind) for each in facts.software] == [("Adobe Lightroom 9.1", Kind.EDITOR)]
    assert (facts.has_location, facts.has_serial) == (True, True)


def test_places_and_serial_numbers_are_not_kept_anywhere(read: Read) -> None:
    said = str(read(encoded(exif=camera_exif())).as_dict())
    for secret in ("SERIAL", "0042", "48", "51.0", "29.62", "17.0", "40.2"):
        assert secret not in said.replace("f/2.8", ""), secret


def test_a_file_without_metadata_says_so(read: Read) -> None:
    facts = read(encoded()).metadata
    assert facts.is_empty
    assert (facts.has_location, facts.has_serial, facts.noted_size) == (False, False, None)


def test_the_texts_of_generators_are_named_and_not_repeated(read: Read) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a secret prompt\nSteps: 20, Sampler: Euler a")
    info.add_text("workflow", "{}", zip=True)
    info.add_text("Software", "NovelAI")
    found = read(encoded(form="PNG", pnginfo=info))
    assert found.metadata.generator_texts == ("Stable Diffusion's settings", "a generator's workflow")
    assert found.metadata.software[0].kind is Kind.GENERATOR
    assert "secret" not in str(found.as_dict())
    assert found.says_generated is False
    assert found.summary.startswith("The file carries what image generators write")


def test_the_settings_of_a_generator_in_a_jpeg(read: Read) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "a prompt\nSteps: 20, Sampler: Euler a".encode("utf-16-be")
    assert read(encoded(exif=exif)).metadata.generator_texts == ("Stable Diffusion's settings",)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Adobe Photoshop 2026", Kind.EDITOR),
        ("GIMP 3.0", Kind.EDITOR),
        ("FaceApp", Kind.FACE_EDITOR),
        ("Adobe Firefly", Kind.GENERATOR),
        ("ComfyUI", Kind.GENERATOR),
        ("iOS 19.1", Kind.OTHER),
        ("Lavf62.3.100", Kind.OTHER),
    ],
)
def test_programs_are_told_apart_by_name(name: str, kind: Kind) -> None:
    assert kind_of(name) is kind


def test_the_first_frame_of_an_mpo_is_what_is_read(read: Read) -> None:
    buffer = io.BytesIO()
    drawing().save(buffer, "MPO", save_all=True, append_images=[drawing(4)], exif=camera_exif())
    assert read(buffer.getvalue()).metadata.camera == "Canon EOS R5"
