"""Taking one's data along: everything that the site holds of an account, as JSON and files in one ZIP."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.bundle import Entry
from jobs.models import Artifact

from . import holdings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from django.db.models.fields.files import FieldFile

# Secrets, and what says something about nobody but this site's own bookkeeping.
WITHHELD: Final = frozenset({"password", "token_hash", "session_key", "address_hash", "owner_key"})
WITHHELD_OF: Final = frozenset({"mfa.Authenticator.data", "account.EmailConfirmation.key"})
SELF, OTHER = "you", "somebody else"


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored file as jobs.bundle takes it."""

    file: FieldFile
    size: int


def entries(user: User) -> Iterator[Entry]:
    """The files of the archive, the explanation first. Rows are read at once, files while they are sent."""
    now = timezone.now()
    held = holdings.of(user)
    pages: dict[str, list[dict[str, Any]]] = {}
    for model, rows in held.own.items():
        pages[model._meta.label_lower] = [as_json(row, user) for row in rows]
    for model, _link, rows in held.said:
        pages.setdefault(model._meta.label_lower, []).extend(as_json(row, user) for row in rows)
    yield Entry(name="README.txt", created=now, data=_readme(user, pages).encode())
    for name, found in sorted(pages.items()):
        text = json.dumps(found, indent=1, ensure_ascii=False, cls=DjangoJSONEncoder)
        yield Entry(name=f"data/{name}.json", created=now, data=text.encode())
    for rows in held.own.values():
        for row in rows:
            for stored in () if _stays_here(row) else holdings.files_of(row):
                try:
                    size = stored.size
                except FileNotFoundError:
                    continue
                yield Entry(name=_place(row, stored), created=now, artifact=Stored(stored, size))


def as_json(row: models.Model, user: User) -> dict[str, Any]:
    """The row's fields, less secrets. Of what others wrote about one's things: that they did, not their words."""
    others = _is_anothers(row, user)
    told: dict[str, Any] = {}
    for each in row._meta.concrete_fields:
        if each.name in WITHHELD or f"{row._meta.label}.{each.name}" in WITHHELD_OF:
            continue
        if others and isinstance(each, models.TextField):
            continue
        value = getattr(row, each.attname)
        if isinstance(each, models.FileField):
            told[each.name] = _place(row, value) if value and not _stays_here(row) else None
        elif isinstance(each, models.BinaryField):
            continue
        elif each.related_model is get_user_model() and value is not None:
            told[each.name] = SELF if value == user.pk else OTHER
        else:
            told[each.name] = value
    return told


def _is_anothers(row: models.Model, user: User) -> bool:
    people = [each.attname for each in row._meta.concrete_fields if each.related_model is get_user_model()]
    ids = {getattr(row, name) for name in people} - {None}
    return (bool(ids) and user.pk not in ids) or (not ids and bool(getattr(row, "session_key", "")))


def _stays_here(row: models.Model) -> bool:
    """Weights that know a person: whoever had them could paint that face elsewhere, unmarked and without a consent."""
    return isinstance(row, Artifact) and row.role == Artifact.LEARNED


def _place(row: models.Model, stored: FieldFile) -> str:
    name = getattr(row, "public_name", "") or PurePosixPath(str(stored.name)).name
    return f"files/{row._meta.label_lower}/{row.pk}/{name}"


def _readme(user: User, pages: dict[str, list[dict[str, Any]]]) -> str:
    counts = "\n".join(f"  data/{name}.json: {len(rows)}" for name, rows in sorted(pages.items()))
    return "\n\n".join(
        [
            _("What this site holds of the account %(email)s, on %(day)s.")
            % {"email": user.email, "day": timezone.localdate().isoformat()},
            _("One JSON file for each table, with the number of its rows; the files that rows name are under files/."),
            counts,
            _(
                "Left out: your password, the secrets of tokens, sessions and second factors, and the words of other "
                "people about your pictures."
            ),
            _("Left out too: what a network has learned of a face. Work is done with it here, and nobody is given it."),
        ]
    )
