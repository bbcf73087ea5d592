"""What a report says of a file's origin, in the words of the page's panel, as pairs of name and value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from detection.templatetags.provenance import for_link, origin_of

if TYPE_CHECKING:
    from .contents import Contents

    Rows = list[tuple[str, str]]


def facts(contents: Contents) -> dict[str, Any]:
    """As it was read; for those who only have a link, without what the panel keeps from them."""
    kept: dict[str, Any] = contents.check.provenance
    return kept if contents.private or not kept else for_link(kept)


def rows(contents: Contents) -> Rows:
    """Nothing here is a score, and what the file does not say has no row."""
    origin = origin_of(contents.check, contents.private)
    found: Rows = [(_("Signed statement"), f"{origin['title']}. {origin['sentence']}"), (_("Trust"), origin["trust"])]
    found += origin["signed"]
    found += [(_("Says about AI"), f"{each['where']}: {each['what']}") for each in origin["ai"]]
    found += [(_("What was done to it"), _step(step)) for step in origin["history"]]
    found += [(_("Made from"), _ingredient(part)) for part in origin["ingredients"]]
    found.append((_("Calls itself, unsigned"), origin["unsigned"]))
    found.append((_("Left by generators"), ", ".join(map(str, origin["generator_texts"]))))
    found.append((_("Programs"), ", ".join(str(each["name"]) for each in origin["software"])))
    found += origin["metadata"]
    if origin["says_nothing"]:
        found.append((_("Camera data"), _("none, which is usual after messengers and web sites")))
    compression = origin["compression"]
    if compression:
        found += compression["rows"]
        found.append((_("Compressed with"), str(compression["style"])))
    found += [
        (_("Made on this site"), ", ".join(str(value) for value in own.values() if value)) for own in origin["own"]
    ]
    return [(name, str(value)) for name, value in found if value]


def _step(step: dict[str, str]) -> str:
    parts = (step[key] for key in ("action", "source", "software", "when", "description"))
    return ", ".join(part for part in parts if part)


def _ingredient(part: dict[str, Any]) -> str:
    return ". ".join(str(each) for each in (part["title"], part["relationship"], part["words"]) if each)
