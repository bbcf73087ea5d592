"""What a file tells about its making without a signature: camera, dates, programs. Anybody can write all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.provenance.exif import ExifFacts, read_exif
from ml.provenance.plain_text import plain
from ml.provenance.software import Software, named
from ml.provenance.xmp import XmpFacts, read_xmp

if TYPE_CHECKING:
    from ml.provenance.containers import Parts

# Text entries of PNG files in which generators keep how a picture was made, by their keyword.
GENERATOR_TEXTS = {
    "parameters": "Stable Diffusion's settings",
    "prompt": "a generator's prompt",
    "workflow": "a generator's workflow",
    "sd-metadata": "InvokeAI's settings",
    "invokeai_metadata": "InvokeAI's settings",
    "Dream": "InvokeAI's prompt",
    "generation_data": "a generator's settings",
}


@dataclass(frozen=True, slots=True)
class Metadata:
    """Facts; "" and None for what the file does not say. `generator_texts` are in words, never the prompts themselves.

    `damaged` names the blocks (EXIF, XMP) that are there but could not be read in whole.
    """

    camera: str = ""
    lens: str = ""
    exposure: str = ""
    taken: str = ""
    digitised: str = ""
    changed: str = ""
    has_location: bool = False
    has_serial: bool = False
    noted_size: tuple[int, int] | None = None
    software: tuple[Software, ...] = ()
    edit_events: int = 0
    generator_texts: tuple[str, ...] = ()
    credit: str = ""
    container: str = ""
    encoder: str = ""
    damaged: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the file says nothing at all."""
        return self == Metadata(container=self.container)


def read_metadata(parts: Parts) -> tuple[Metadata, XmpFacts]:
    """The facts of a picture's EXIF, XMP and text entries, and XMP's own for who else needs them. Raises nothing."""
    exif, xmp = read_exif(parts.exif), read_xmp(parts.xmp)
    texts = {key.strip(): value for key, value in parts.texts.items()}
    generators = [words for key, words in GENERATOR_TEXTS.items() if key in texts]
    if _is_generator_comment(exif.comment):
        generators.append("Stable Diffusion's settings")
    damaged = [name for name, readable in (("EXIF", exif.readable), ("XMP", xmp.readable)) if not readable]
    size = (exif.width, exif.height)
    return Metadata(
        camera=_camera(exif),
        lens=exif.lens,
        exposure=exif.exposure,
        taken=exif.taken,
        digitised=exif.digitised if exif.digitised != exif.taken else "",
        changed=exif.changed if exif.changed != exif.taken else "",
        has_location=exif.has_location,
        has_serial=exif.has_serial,
        noted_size=(size[0], size[1]) if size[0] and size[1] else None,
        software=named(
            [
                (xmp.ai_system, "XMP"),
                (exif.software, "EXIF"),
                (texts.get("Software", ""), "PNG"),
                (xmp.creator_tool, "XMP"),
                *((name, "XMP") for name in xmp.software),
            ]
        ),
        edit_events=xmp.events,
        generator_texts=tuple(dict.fromkeys(generators)),
        credit=plain(xmp.credit),
        damaged=tuple(damaged),
    ), xmp


def _camera(exif: ExifFacts) -> str:
    # Most models begin with their maker's name already.
    if exif.make and exif.model.lower().startswith(exif.make.split()[0].lower()):
        return exif.model
    return " ".join(part for part in (exif.make, exif.model) if part)


def _is_generator_comment(comment: str) -> bool:
    return "Steps:" in comment and "Sampler:" in comment
