"""Everything that the site holds of an account, found by following the foreign keys of whatever models there are.

What would be deleted with the account is what it holds: export and deletion look through the same eyes, and a model
that an app adds tomorrow is in both from its first day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import NestedObjects
from django.contrib.auth import get_user_model
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Sum

from jobs.models import Artifact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from django.db.models.fields.files import FieldFile


@dataclass(frozen=True, slots=True)
class Holdings:
    """`own`: rows that go with the account, by model. `said`: rows that stay, about things of others, whose link to the
    account is cut (model, name of the foreign key, rows)."""

    own: dict[type[models.Model], list[models.Model]] = field(default_factory=dict)
    said: list[tuple[type[models.Model], str, list[models.Model]]] = field(default_factory=list)

    def files(self) -> Iterator[FieldFile]:
        for rows in self.own.values():
            for row in rows:
                yield from files_of(row)


def of(user: User) -> Holdings:
    collector = NestedObjects(using=DEFAULT_DB_ALIAS)
    collector.collect([user])
    own = {
        model: sorted(rows, key=lambda row: str(row.pk))
        for model, rows in sorted(collector.data.items(), key=lambda pair: pair[0]._meta.label)
    }
    said = []
    for (foreign_key, _value), found in collector.field_updates.items():
        rows = [row for rows in found for row in rows if row not in own.get(foreign_key.model, ())]
        if rows and foreign_key.related_model is get_user_model():
            said.append((foreign_key.model, foreign_key.name, rows))
    return Holdings(own, said)


def files_of(row: models.Model) -> Iterator[FieldFile]:
    for each in row._meta.concrete_fields:
        if isinstance(each, models.FileField) and (stored := getattr(row, each.name)):
            yield stored


def stored_bytes(user: User) -> tuple[int, int]:
    """How many files there are of the account, and their bytes."""
    found: dict[str, Any] = Artifact.objects.filter(owner=user).aggregate(bytes=Sum("size"), files=models.Count("pk"))
    return int(found["files"]), int(found["bytes"] or 0)
