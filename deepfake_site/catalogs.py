"""Catalogs of translations, made without GNU gettext: what is to be translated, and what of it is missing where.

Babel reads and writes them (it comes with the tests' requirements; a running site needs the compiled files only).
"""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from babel.messages.catalog import Message

PACKAGES: Final = ("deepfake_site", "jobs", "detection", "generation", "enhancement", "ml")
# Of `ml`, what only who trains, measures or types commands ever reads: that stays English.
ENGLISH_ONLY: Final = ("ml/training/", "ml/evaluate/", "ml/importers/", "ml/restore/video_command.py")
COMMAND: Final = ("command.py", "__main__.py")
KEYWORDS: Final[dict[str, tuple[int | tuple[int, str], ...] | None]] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    # What jobs and the code behind them say, to be looked up when it is shown: jobs.sentences, ml.sentences.
    "N_": None,
    "Sentence": (1,),
    "MediaError": (2,),
    "PersonError": (2,),
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PLACEHOLDER: Final = re.compile(r"%\([a-z_]+\)[.\d]*[a-z]|%[sd]|\{[a-z_]*\}")
LINE: Final = 110


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((settings.BASE_DIR / package).rglob("*.py")):
            name = path.relative_to(settings.BASE_DIR).as_posix()
            told_in_english = name.startswith(ENGLISH_ONLY) or (package == "ml" and path.name in COMMAND)
            if "migrations" not in path.parts and not told_in_english:
                yield path
    yield from sorted((settings.BASE_DIR / "templates").rglob("*.html"))
    yield from sorted((settings.BASE_DIR / "templates").rglob("*.txt"))


def messages() -> Catalog:
    """Every message of templates and program. Scripts have none of their own: pages hand theirs over in attributes."""
    catalog = Catalog(domain="django", project=settings.SITE_NAME, charset="utf-8", fuzzy=False)
    for path in sources():
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            # Python-like text, whose lines begin anywhere: none of it is meant as an indentation.
            text = "\n".join(line.strip() for line in templatize(text, origin=path.as_posix()).splitlines())
        name = path.relative_to(settings.BASE_DIR).as_posix()
        for _line, message, comments, context in extract("python", io.BytesIO(text.encode()), KEYWORDS):
            catalog.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    # The built-in people are data of the swap's weights; what is said of them is read like any other sentence.
    people = settings.BASE_DIR / "ml" / "weights" / "people" / "catalog.json"
    for person in json.loads(people.read_text(encoding="utf-8")) if people.is_file() else ():
        catalog.add(person["about"], locations=[(people.relative_to(settings.BASE_DIR).as_posix(), 0)])
    return catalog


def path_of(language: str) -> Path:
    return settings.BASE_DIR / "locale" / to_locale(language) / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    path = path_of(language)
    if not path.is_file():
        return Catalog(
            to_locale(language),
            domain="django",
            project=settings.SITE_NAME,
            header_comment=f"# {settings.TRANSLATIONS[language]}: what the pages say.",
            fuzzy=False,
        )
    with path.open("rb") as stored:
        return read_po(stored, locale=to_locale(language), domain="django")


def update(language: str) -> Catalog:
    """Bring the catalog up to the program: new messages are empty, gone ones are gone, nothing is guessed."""
    catalog, template = read(language), messages()
    before = {(message.id, message.context) for message in catalog if message.id}
    template.creation_date = catalog.creation_date
    catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    path = path_of(language)
    if path.is_file() and before == {(message.id, message.context) for message in catalog if message.id}:
        return catalog
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stored:
        write_po(stored, catalog, width=LINE, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return catalog


def compiled(language: str) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, read(language))
    return buffer.getvalue()


def compile_catalog(language: str) -> Path:
    path = path_of(language).with_suffix(".mo")
    path.write_bytes(compiled(language))
    return path


def faults(language: str, found_messages: Catalog | None = None) -> list[str]:
    """What keeps a language from being complete, in words; nothing when its catalog is."""
    catalog = read(language)
    found = []
    for wanted in messages() if found_messages is None else found_messages:
        if not wanted.id:
            continue
        message = catalog.get(wanted.id, context=wanted.context)
        name = repr(wanted.id if isinstance(wanted.id, str) else wanted.id[0])
        if message is None:
            found.append(f"not in the catalog: {name}")
        elif not message.string or (isinstance(message.string, tuple | list) and not all(message.string)):
            found.append(f"not translated: {name}")
        elif message.fuzzy:
            found.append(f"marked as uncertain: {name}")
        else:
            found += _wrong_placeholders(message, catalog.num_plurals, name)
    return found


def _wrong_placeholders(message: Message, plurals: int, name: str) -> list[str]:
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    strings = [message.string] if isinstance(message.string, str) else list(message.string)
    if len(ids) > 1 and len(strings) != plurals:
        return [f"{len(strings)} plural forms instead of {plurals}: {name}"]
    allowed = {placeholder for each in ids for placeholder in PLACEHOLDER.findall(each)}
    needed = set.intersection(*(set(PLACEHOLDER.findall(each)) for each in ids))
    found = []
    for each in strings:
        held = set(PLACEHOLDER.findall(each))
        if held - allowed or (needed - held and len(ids) == 1):
            found.append(f"placeholders {sorted(held)} instead of {sorted(allowed)}: {name}")
    return found
