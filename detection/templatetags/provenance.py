"""What a file says of its origin, arranged for its panel: words for codes, and nothing private for those who only have
a link. The facts were read by `ml.provenance` and kept with the check; a page has only these to go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import template
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from . import provenance_words as words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detection.models import Check

    Facts = Mapping[str, Any]
    Rows = list[tuple[str, str]]

register = template.Library()

# Of the metadata, whoever has a link sees which programs a file went through. When, and with which camera, is its
# owner's to tell; the place is not even kept.
_FOR_ALL: Final = ("software", "edit_events", "generator_texts", "container", "encoder")


def for_link(provenance: Facts) -> dict[str, Any]:
    """`Check.provenance` without what is private: names of files, free text, dates and camera of the unsigned metadata,
    and the hash by which the file could be recognised elsewhere."""
    public = {**provenance, "perceptual_hash": ""}
    metadata = _part(provenance, "metadata")
    public["metadata"] = {key: metadata[key] for key in _FOR_ALL if key in metadata}
    if manifest := _part(provenance, "manifest"):
        public["manifest"] = {
            **manifest,
            "title": "",
            "history": [{**step, "description": ""} for step in _parts(manifest, "history")],
            "ingredients": [{**each, "title": ""} for each in _parts(manifest, "ingredients")],
        }
    return public


@register.simple_tag
def origin_of(check: Check, everything: Any) -> dict[str, Any]:
    """What the panel shows; `everything` is true where the reader may see what the file's owner sees."""
    facts: Facts = check.provenance if everything else for_link(check.provenance)
    manifest = _part(facts, "manifest")
    source = _part(facts, "digital_source_type")
    metadata = _part(facts, "metadata")
    shown = {
        **_state(manifest),
        "trust": _trust(manifest),
        "signed": _signed(manifest),
        "ai": [
            {"where": _action(each.get("where")), "what": _source(_part(each, "source_type"))}
            for each in _parts(manifest, "ai")
        ],
        "history": [_step(step) for step in _parts(manifest, "history")],
        "ingredients": [_ingredient(each) for each in _parts(manifest, "ingredients")],
        "left_out": manifest.get("left_out") or 0,
        "checks": [
            {**each, "sentence": words.CHECKS.get(str(each.get("code")), each.get("sentence", ""))}
            for each in _parts(manifest, "checks")
        ],
        "unsigned": _source(source) if source else "",
        "unsigned_generated": bool(source.get("says_generated")),
        "software": [
            {"name": each.get("name", ""), "kind": words.KINDS.get(str(each.get("kind")), ""), **_marked(each)}
            for each in _parts(metadata, "software")
        ],
        "generator_texts": [
            words.GENERATOR_TEXTS.get(str(each), each) for each in metadata.get("generator_texts") or []
        ],
        "metadata": _metadata(metadata) if everything else [],
        "has_location": bool(everything and metadata.get("has_location")),
        "has_serial": bool(everything and metadata.get("has_serial")),
        "damaged": ", ".join(map(str, metadata.get("damaged") or [])),
        "says_nothing": bool(everything and metadata.get("is_empty")),
        "compression": _compression(_part(facts, "compression")),
        "own": [{**match, "date": _day(match.get("date"))} for match in _parts(facts, "own")],
    }
    shown["unsigned_anything"] = any(
        shown[name] for name in ("unsigned", "generator_texts", "software", "metadata", "damaged", "says_nothing")
    )
    return shown


def _state(manifest: Facts) -> dict[str, Any]:
    state, problem = manifest.get("state", "none"), str(manifest.get("problem") or "")
    if state == "valid":
        generated = bool(manifest.get("says_generated"))
        return {
            "state": state,
            "generated": generated,
            "title": _("A signed statement says: made with AI") if generated else _("A signed statement that holds"),
            "sentence": _("The signature holds, and the file is as it was signed."),
        }
    if state in {"broken", "unreadable"}:
        return {
            "state": state,
            "generated": False,
            "title": words.PROBLEM_TITLES.get(problem, _("A signed statement that does not hold")),
            "sentence": words.PROBLEMS.get(problem, manifest.get("sentence", "")),
        }
    return {
        "state": "none",
        "generated": False,
        "title": _("No signed statement"),
        "sentence": _(
            "That says nothing either way. Few cameras and programs sign yet, and web sites and messengers take such "
            "statements out."
        ),
    }


def _trust(manifest: Facts) -> str:
    """Who vouches for the name of the signer; "" where nothing was signed that could be read."""
    if manifest.get("state") not in {"valid", "broken"}:
        return ""
    if manifest.get("trusted"):
        return _("A trust list that is installed here vouches for the signer.")
    if manifest.get("trust_list"):
        return _("No trust list that is installed here knows the signer: anybody could have signed by this name.")
    return _("No trust list is installed here that could vouch for the signer: anybody could have signed by this name.")


def _signed(manifest: Facts) -> Rows:
    rows = [
        (_("Signed by"), manifest.get("signer")),
        (_("Signed on"), _when(manifest.get("signed_at"))),
        (_("Made with"), manifest.get("generator")),
        (_("Title"), manifest.get("title")),
        (_("Kept at"), manifest.get("remote_host")),
    ]
    if manifest.get("state") == "valid" and not manifest.get("signed_at"):
        rows[1] = (_("Signed on"), _("not known: no trusted time stamp"))
    return [(name, str(value)) for name, value in rows if value]


def _step(step: Facts) -> dict[str, str]:
    source = _part(step, "source_type")
    return {
        "action": _action(step.get("action")),
        "software": str(step.get("software", "")),
        "when": _when(step.get("when")),
        "source": _source(source) if source else "",
        "description": str(step.get("description", "")),
    }


def _ingredient(entry: Facts) -> dict[str, Any]:
    state = entry.get("state")
    return {
        "title": entry.get("title", ""),
        "relationship": words.RELATIONSHIPS.get(str(entry.get("relationship")), entry.get("relationship", "")),
        "state": state or "none",
        "words": {
            "valid": _("Its own signed statement held when it was used."),
            "broken": _("Its own signed statement did not hold."),
        }.get(str(state), _("It came without a signed statement.")),
        "generated": bool(entry.get("says_generated")),
    }


def _metadata(metadata: Facts) -> Rows:
    size = metadata.get("noted_size")
    rows = [
        (_("Camera"), metadata.get("camera")),
        (_("Lens"), metadata.get("lens")),
        (_("Exposure"), metadata.get("exposure")),
        (_("Taken"), _when(metadata.get("taken"))),
        (_("Digitised"), _when(metadata.get("digitised"))),
        (_("Last changed"), _when(metadata.get("changed"))),
        (_("Size that was noted"), f"{size[0]} \N{MULTIPLICATION SIGN} {size[1]} px" if _is_size(size) else ""),
        (_("Credit"), metadata.get("credit")),
        (_("Container"), metadata.get("container")),
        (_("Encoded as"), metadata.get("encoder")),
    ]
    return [(name, str(value)) for name, value in rows if value]


def _compression(facts: Facts) -> dict[str, Any]:
    if not facts:
        return {}
    quality = facts.get("quality")
    rows: Rows = []
    if isinstance(quality, int):
        shown = number_format(quality)
        rows.append((_("JPEG quality"), shown if facts.get("exact") else _("about %(value)s") % {"value": shown}))
    if facts.get("chroma"):
        rows.append((_("Chroma"), str(facts["chroma"])))
    rows.append((_("Order"), _("progressive") if facts.get("progressive") else _("from top to bottom")))
    return {"rows": rows, "style": words.STYLES.get(str(facts.get("style")), facts.get("words", ""))}


def _source(source: Facts) -> str:
    return str(words.SOURCE_TYPES.get(str(source.get("code")), source.get("words", "")))


def _action(code: Any) -> str:
    return str(words.ACTIONS.get(str(code), code or ""))


def _marked(software: Facts) -> dict[str, bool]:
    return {"marked": software.get("kind") in {"generator", "face_editor"}}


def _when(value: Any) -> str:
    """A time as the file has it, in the reader's form but not moved to their zone: it is somebody's statement."""
    text = str(value or "")
    try:
        moment = parse_datetime(text)
    except ValueError:
        return text
    if moment is None:
        return text
    offset = moment.strftime("%z")
    zone = f" UTC{offset[:3]}:{offset[3:5]}" if offset.strip("+-0") else (" UTC" if offset else "")
    return date_format(moment.replace(tzinfo=None), "DATETIME_FORMAT") + zone


def _day(value: Any) -> str:
    text = str(value or "")
    try:
        day = parse_date(text)
    except ValueError:
        return text
    return text if day is None else date_format(day, "DATE_FORMAT")


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(each, int) for each in value)


def _part(of: Facts, name: str) -> dict[str, Any]:
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def _parts(of: Facts, name: str) -> list[dict[str, Any]]:
    value = of.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
