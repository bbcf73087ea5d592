"""The built-in people: synthetic faces of nobody, each a decoder beside the shared encoder, and where learning begins.

``ml/weights/people/catalog.json`` lists them as data, for whoever may not import this package: slug, name, the
decoder's file (beside the catalogue) with its SHA-256, a picture painted by that decoder (below ``static/``, with the
visible mark under the face), and a line about the person. They were trained on synthetic portraits
(``ml.training.swap_people``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.media import decode
from ml.swap.identity import Identity, IdentityError
from ml.weights import MANIFEST, entries

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ml.networks.swap.swap_config import SwapConfig

CATALOG = MANIFEST.parent / "people" / "catalog.json"

STATIC = Path(__file__).parents[2] / "static"

EVERYBODY = "swap_everybody"
"""What the manifest calls the decoder that was trained on everybody's faces: from it a person's own begins."""


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the catalogue. file: beside it. picture: below ``static/``. about: a sentence in English."""

    slug: str
    name: str
    file: str
    sha256: str
    picture: str
    about: str


def catalog(path: Path = CATALOG) -> tuple[Person, ...]:
    """The built-in people, in the catalogue's order. Raises IdentityError where it cannot be read."""
    try:
        return tuple(Person(**line) for line in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise IdentityError(f"the catalogue of built-in people cannot be read: {error}") from error


def path_of(slug: str, path: Path = CATALOG) -> Path:
    """The identity file of a built-in person, for ``ml.swap.convert.SwapRequest``.

    Raises IdentityError for a slug that nobody has, and for a file whose bytes are not the catalogue's.
    """
    for person in catalog(path):
        if person.slug == slug:
            file = path.parent / person.file
            try:
                found = hashlib.sha256(file.read_bytes()).hexdigest()
            except OSError as error:
                raise IdentityError(f"the file of {person.name} is missing") from error
            if found != person.sha256:
                raise IdentityError(f"{person.file} is not the file that the catalogue names")
            return file
    raise IdentityError(f"nobody here is called {slug!r}")


def load(slug: str, path: Path = CATALOG) -> Identity:
    """The identity of a built-in person. Raises IdentityError as :func:`path_of`, and for a file that is none."""
    return Identity.load(path_of(slug, path))


def painting(person: Person) -> NDArray[np.uint8]:
    """A built-in person as their decoder paints them: uint8 (S, S, 3), for work that is marked itself in the end.

    Raises MediaError where the picture is missing or none.
    """
    pixels = decode(STATIC / person.picture).pixels
    return pixels[: pixels.shape[1]]  # the square above the mark


def start_for(config: SwapConfig) -> Path | None:
    """The shipped network of this shape that knows everybody, as an identity file; None where there is none."""
    entry = entries().get(EVERYBODY)
    if entry is None:
        return None
    path = MANIFEST.parent / entry.file
    return path if Identity.load(path).config == config else None
