"""One row of every model that leads to an account, made by the site's own calls where it has some, else filled in by
the look of the fields: a model that is added tomorrow is in this from its first day."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from deepfake_site.account import holdings
from detection import services as checks
from detection.models import ApiToken
from jobs import outputs
from tests import clips
from tests.detection import factories
from tests.generation import making as do

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.contrib.auth.models import User
    from django.test import Client

    from detection.models import Check

WORD: Final = "quetzalcoatl"  # stands in everything that the member wrote

# Rows that stay when the account goes, and point to it no more: the desk's own work, and who asked for what.
# A new one must be thought about: what becomes of the words that the person wrote there (account/leaving.py)?
STAY: Final = {
    ("detection.Report", "reporter"),  # its words are blanked
    ("detection.Judgement", "reviewer"),  # staff's, about other people's pictures
    ("detection.ReviewItem", "claimed_by"),
    ("generation.FacePlea", "decided_by"),
    ("generation.TakedownPlea", "decided_by"),
    ("generation.Generation", "public_decided_by"),
}


def leading_to_user() -> Iterator[tuple[type[models.Model], models.ForeignKey[Any, Any]]]:
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model is get_user_model():
                yield model, field


def going_along() -> set[type[models.Model]]:
    """Models of which rows go with an account, because they point to it or to something that goes."""
    found: set[type[models.Model]] = {get_user_model()}
    while True:
        more = {
            model
            for model in apps.get_models(include_auto_created=True)
            for field in model._meta.concrete_fields
            if isinstance(field, models.ForeignKey)
            and field.remote_field.on_delete is models.CASCADE
            and field.related_model in found
        }
        if more <= found:
            return found
        found |= more


def use_everything(user: User, client: Client, other: User, picture: bytes, workdir: Path) -> Check:
    """Returns the check of another member that `user` has reported."""
    mine = factories.requester(user)
    done = factories.finished(factories.queued(mine, f"{WORD}.jpg"))
    checks.share_check(done)
    checks.report_check(done, mine, "other", WORD)
    factories.failed(factories.queued(mine, "failed.jpg"))
    made = do.made(user, picture, workdir)
    letter = made.consent
    letter.evidence.save("letter.pdf", ContentFile(b"%PDF-1.4 " + WORD.encode()), save=False)
    type(letter).objects.filter(pk=letter.pk).update(evidence=letter.evidence.name)
    do.submitted(user, picture)
    do.uploaded(user, factories.jpeg("navy"), f"{WORD}.jpg")  # an upload that never became part of anything
    ApiToken.issue(user, WORD)
    client.get("/")  # a session that is noted
    address = EmailAddress.objects.create(user=user, email=user.email, primary=True)
    EmailConfirmation.objects.create(email_address=address, key=WORD)
    Authenticator.objects.create(user=user, type="totp", data={"secret": WORD})
    theirs = factories.finished(factories.queued(factories.requester(other), "theirs.jpg"))
    checks.report_check(theirs, mine, "harmful", f"{WORD}, as I said")
    for about in (user, done):
        LogEntry.objects.create(
            user=other,
            content_type=ContentType.objects.get_for_model(about),
            object_id=str(about.pk),
            object_repr=str(about),
            action_flag=2,
            change_message=f"changed {user.email}",
        )
    outputs.record(done.job, sha256="0" * 64)
    clip = clips.encoded(clips.faceless_frames(12))
    checks.submit_check(mine, factories.upload("clip.mp4", clip))
    factories.queued(mine, "waiting.jpg")
    fill(user)
    return theirs


def fill(user: User) -> None:
    """A row of each model that goes along and has none yet."""
    while True:
        held = holdings.of(user).own
        missing = sorted((model for model in going_along() if model not in held), key=lambda model: model._meta.label)
        if not missing:
            return
        made = [model for model in missing if _filled(model, user, held)]
        assert made, f"no row could be made of {missing}: make one in use_everything()"


def _filled(model: type[models.Model], user: User, held: dict[type[models.Model], list[models.Model]]) -> bool:
    values: dict[str, Any] = {}
    led = False
    for field in model._meta.concrete_fields:
        if field.related_model is get_user_model():
            led = led or field.remote_field.on_delete is models.CASCADE
            values[field.name] = user if field.remote_field.on_delete is models.CASCADE else None
        elif field.is_relation and field.related_model in held and not field.null:
            free = _free(model, field, held[field.related_model])
            led, values[field.name] = True, free
        elif field.is_relation and not field.null:
            values[field.name] = field.related_model._base_manager.first()
        elif not field.has_default() and not field.null and not field.primary_key:
            values[field.name] = _value(field)
    if not led or any(value is None and not model._meta.get_field(name).null for name, value in values.items()):
        return False
    row = model(**values)
    for field in model._meta.concrete_fields:
        if isinstance(field, models.FileField):
            getattr(row, field.name).save("file.bin", ContentFile(WORD.encode()), save=False)
    try:
        with transaction.atomic():
            model._base_manager.bulk_create([row])
    except IntegrityError:
        return False
    return True


def _free(model: type[models.Model], field: Any, rows: list[models.Model]) -> models.Model | None:
    if not field.unique:
        return rows[0]
    taken = set(model._base_manager.values_list(field.attname, flat=True))
    return next((row for row in rows if row.pk not in taken), None)


def _value(field: Any) -> Any:
    if field.choices:
        return field.choices[0][0]
    match field:
        case models.UUIDField():
            return uuid.uuid4()
        case models.CharField() | models.TextField():
            return WORD[: field.max_length or None]
        case models.DateTimeField():
            return timezone.now()
        case models.JSONField():
            return {"word": WORD}
        case models.BooleanField():
            return True
        case models.BinaryField():
            return WORD.encode()
        case models.GenericIPAddressField():
            return "203.0.113.0"
        case _:
            return 1
