"""Sentences for people, from a package that knows nobody's language: English, with what was put into them kept apart.

Whoever shows a `Sentence` in another language looks its template up and puts the values in again. Templates are found
by ``manage.py catalogs`` where they stand: the first argument of `Sentence` and of `N_`, the second of ``MediaError``.
"""

from __future__ import annotations

from typing import Any, Self


def N_(text: str) -> str:
    """Mark a text that somebody may read for the catalogs of translations, and hand it back as it is."""
    return text


class Sentence(str):
    """`template` with its named ``%(values)s`` put in; a text among the values may be a Sentence or marked by `N_`."""

    template: str
    params: dict[str, Any]

    def __new__(cls, template: str, **params: Any) -> Self:
        made = super().__new__(cls, template % params if params else template)
        made.template, made.params = template, params
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.template,), self.params

    @classmethod
    def joined(cls, *parts: str, by: str = " ") -> Self:
        """Several one after the other, each looked up by itself."""
        named = {f"part{number}": part for number, part in enumerate(parts)}
        return cls(by.join(f"%({name})s" for name in named), **named)
