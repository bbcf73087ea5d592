"""Sentences that are made where nobody's language is known (in a worker, in the inference child) and read later by
somebody: kept in English with their values apart, and said in the reader's language when they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Packed = str | dict[str, Any]

TEMPLATE, PARAMS = "template", "params"


def N_(text: str) -> str:
    """Mark a text for the catalogs where there is nobody's language yet, and maybe no Django; it stays as it is."""
    return text


def packed(sentence: str) -> Packed:
    """A sentence as it crosses processes and is kept in JSON: a bare text, unless values were put into it."""
    params = getattr(sentence, PARAMS, {})
    return pack(str(getattr(sentence, TEMPLATE, sentence)), **params)


def pack(template: str, **params: Any) -> Packed:
    return {TEMPLATE: template, PARAMS: {name: _plain(value) for name, value in params.items()}} if params else template


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return packed(value)
    return value if isinstance(value, int | float) else str(value)


def unpacked(message: Packed) -> tuple[str, dict[str, Any]]:
    """The template, which is what catalogs list, and its values."""
    if isinstance(message, dict):
        return str(message[TEMPLATE]), dict(message[PARAMS])
    return str(message), {}


def told(sentence: Any, params: Mapping[str, Any] | None = None) -> str:
    """In the reader's language: a template with its values, or what `packed` made. Texts among the values are looked
    up, too; what no catalog knows stays English."""
    from django.utils.translation import gettext  # the inference child, which only takes apart, is spared Django

    if isinstance(sentence, dict):
        sentence, params = sentence.get(TEMPLATE, ""), sentence.get(PARAMS) or {}
    text = gettext(template) if (template := str(sentence)) else ""
    if not params:
        return text
    values = {name: value if isinstance(value, int | float) else told(value) for name, value in params.items()}
    try:
        return text % values
    except (KeyError, TypeError, ValueError):  # values that belong to another version of the sentence
        return text
