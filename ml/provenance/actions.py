"""The actions of an edit history in words.

Source: C2PA Technical Specification 2.x, standard assertion "Actions".
"""

from __future__ import annotations

WORDS = {
    "c2pa.created": "Created",
    "c2pa.opened": "Opened",
    "c2pa.placed": "Placed another picture into it",
    "c2pa.removed": "Took something out of it",
    "c2pa.edited": "Edited",
    "c2pa.edited.metadata": "Edited its metadata",
    "c2pa.addedText": "Added text",
    "c2pa.deleted": "Deleted something in it",
    "c2pa.drawing": "Drew on it",
    "c2pa.color_adjustments": "Adjusted colours",
    "c2pa.adjustedColor": "Adjusted colours",
    "c2pa.cropped": "Cropped",
    "c2pa.filtered": "Applied a filter",
    "c2pa.orientation": "Turned",
    "c2pa.resized": "Resized",
    "c2pa.resized.proportional": "Resized",
    "c2pa.trimmed": "Trimmed",
    "c2pa.enhanced": "Enhanced",
    "c2pa.converted": "Converted to another format",
    "c2pa.transcoded": "Transcoded",
    "c2pa.repackaged": "Repackaged",
    "c2pa.published": "Published",
    "c2pa.printed": "Printed",
    "c2pa.managed": "Taken into an archive",
    "c2pa.produced": "Produced",
    "c2pa.redacted": "Took a statement out of the manifest",
    "c2pa.translated": "Translated",
    "c2pa.dubbed": "Dubbed",
    "c2pa.changedSpeed": "Changed its speed",
    "c2pa.copied": "Copied",
    "c2pa.formatted": "Formatted",
    "c2pa.version_updated": "Updated to a newer version of the standard",
    "c2pa.watermarked": "Added an invisible mark",
    "c2pa.watermarked.bound": "Added an invisible mark that belongs to the manifest",
    "c2pa.watermarked.unbound": "Added an invisible mark",
    "c2pa.unknown": "Something that its software could not name",
}
RELATIONSHIPS = {
    "parentOf": "the picture that this one was made from",
    "componentOf": "placed into it",
    "inputTo": "given to the software that made it",
}


def action_words(code: str) -> str:
    """An action in words; one that no standard knows is shown by its own name."""
    return WORDS.get(code) or code
