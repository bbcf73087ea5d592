"""Sentences that are made where nobody's language is known (in a worker, in the inference child) and read later by
somebody: kept in English with their values apart, and said in the reader's language when they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATE, PARAMS = "template", "params"


def N_(text: str) -> str:
    """Mark a text for the catalogs where there is nobody's language yet, and maybe no Django; it stays as it is."""
    return text


def template_of(sentence: str) -> str:
    """What catalogs list: the text without its values. A plain text is its own template."""
    return str(getattr(sentence, TEMPLATE, sentence))


def params_of(sentence: str) -> dict[str, Any]:
    """The values by their names, as plain JSON; a sentence among them is packed."""
    return {name: plain(value) for name, value in getattr(sentence, PARAMS, {}).items()}


def plain(value: Any) -> Any:
    if isinstance(value, str):
        return packed(value)
    return value if isinstance(value, int | float) else str(value)


def packed(sentence: str) -> str | dict[str, Any]:
    """A sentence as it is kept in JSON: a bare text, unless values were put into it."""
    params = params_of(sentence)
    return {TEMPLATE: template_of(sentence), PARAMS: params} if params else template_of(sentence)


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
