"""What a report says of a file's origin: the summary, then what stands behind it, in pairs of name and value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    Facts = Mapping[str, Any]
    Rows = list[tuple[str, str]]


def rows(provenance: Facts) -> Rows:
    """Nothing here is a score, and what the file does not say has no row."""
    found: Rows = [(_("In short"), provenance.get("summary") or "")]
    manifest = provenance.get("manifest")
    if manifest:
        found += _manifest(manifest)
    source = provenance.get("digital_source_type")
    if source:
        found.append((_("Says of itself, unsigned"), str(source.get("words", ""))))
    found += _metadata(provenance.get("metadata") or {})
    compression = provenance.get("compression")
    if compression:
        quality = compression.get("quality")
        strength = _("JPEG quality about %(quality)s. ") % {"quality": quality} if quality else ""
        found.append((_("Compression"), f"{strength}{compression.get('words', '')}"))
    if provenance.get("perceptual_hash"):
        found.append((_("Perceptual hash"), str(provenance["perceptual_hash"])))
    return [(name, value) for name, value in found if value]


def _manifest(manifest: Facts) -> Rows:
    trusted = manifest.get("trusted")
    vouched = {True: _("yes"), False: _("no")}.get(trusted, _("nobody could be asked"))
    found: Rows = [
        (_("Signed manifest"), str(manifest.get("sentence", ""))),
        (_("Signed by"), str(manifest.get("signer", ""))),
        (_("Vouched for by a trust list"), vouched),
        (_("Signed at"), str(manifest.get("signed_at", ""))),
        (_("Made with"), str(manifest.get("generator", ""))),
    ]
    found += [(_("History"), _step(step)) for step in manifest.get("history", ())]
    found += [(_("Made from"), _ingredient(part)) for part in manifest.get("ingredients", ())]
    return found


def _step(step: Facts) -> str:
    parts = (step.get("words") or step.get("action"), step.get("software"), step.get("when"), step.get("description"))
    return ", ".join(str(part) for part in parts if part)


def _ingredient(part: Facts) -> str:
    return ": ".join(str(each) for each in (part.get("title"), part.get("sentence")) if each)


def _metadata(metadata: Facts) -> Rows:
    found: Rows = [
        (_("Camera"), str(metadata.get("camera", ""))),
        (_("Lens"), str(metadata.get("lens", ""))),
        (_("Taken"), str(metadata.get("taken", ""))),
        (_("Changed"), str(metadata.get("changed", ""))),
        (_("Programs"), ", ".join(str(each.get("name", "")) for each in metadata.get("software", ()))),
        (_("Left by generators"), ", ".join(map(str, metadata.get("generator_texts", ())))),
        (_("Encoder"), str(metadata.get("encoder", ""))),
    ]
    if metadata.get("is_empty"):
        found.append((_("Camera data"), _("none, which is usual after messengers and web sites")))
    return found
