"""Requests from outside: how they come in, and what a decision does. Anybody may ask; people decide."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import intake, lifecycle, outputs
from jobs.errors import IntakeError
from jobs.requester import address_hash, client_address

from . import ledger
from .models import Generation
from .pleas import FacePlea, PleaStatus, TakedownPlea
from .withdrawal import take_down

if TYPE_CHECKING:
    from django import forms
    from django.contrib.auth.models import User
    from django.core.files.uploadedfile import UploadedFile
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from .forms import NeverMeForm, TakedownForm

A_DAY: Final = 10  # requests from one address; more can be written to the site by mail
BLOCK_FACES: Final = "block_faces"
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_LINK: Final = re.compile(r"/s/([A-Za-z0-9_-]{16,64})")  # what a link that was given away has in it


def _from(request: HttpRequest) -> str:
    return address_hash(client_address(request.META))


def may_plead(request: HttpRequest, form: forms.BaseForm) -> bool:
    """Whether the address has asked for little enough today; else the form says so."""
    since, hashed = timezone.now() - timedelta(days=1), _from(request)
    if not hashed:
        return True
    made = sum(
        model.objects.filter(address_hash=hashed, created__gt=since).count() for model in (FacePlea, TakedownPlea)
    )
    if made < A_DAY:
        return True
    form.add_error(
        None, _("Too many requests came from your network today. Please write to the people who run this site.")
    )
    return False


def checked_portrait(upload: UploadedFile[bytes]) -> bytes:
    """The bytes of a still picture. Raises IntakeError."""
    if (upload.size or 0) > settings.JOBS_PICTURE_BYTES:
        raise IntakeError("too_large", _("This file is too large."))
    data = upload.read()
    intake.inspect_picture(data)
    return data


def plead_never_me(request: HttpRequest, form: NeverMeForm) -> FacePlea:
    plea: FacePlea = form.save(commit=False)
    plea.address_hash = _from(request)
    plea.portrait = None  # type: ignore[assignment]
    plea.save()
    plea.portrait.save("portrait", ContentFile(form.cleaned_data["portrait"]))
    return plea


def plead_takedown(request: HttpRequest, form: TakedownForm) -> TakedownPlea:
    """A request, with the job that it is about where the file or the address tells."""
    plea: TakedownPlea = form.save(commit=False)
    plea.address_hash = _from(request)
    copy = form.cleaned_data.get("copy")
    if copy is not None:
        digest = hashlib.sha256()
        for part in copy.chunks():
            digest.update(part)
        plea.sha256 = digest.hexdigest()
    plea.job_ref = found_job(plea)
    plea.save()
    return plea


def found_job(plea: TakedownPlea) -> UUID | None:
    if plea.sha256:
        for match in outputs.find(sha256=plea.sha256):
            return match.job
    # Looked up now: whoever gave the link away may make another one a moment later.
    linked = Generation.objects.filter(share_token__in=_LINK.findall(plea.address)).first()
    if linked is not None:
        return linked.job_id
    for named in _UUID.findall(plea.address):
        number = UUID(named)
        of_it = Q(pk=number) | Q(job_id=number) | Q(result=number) | Q(poster=number)
        generation = Generation.objects.filter(of_it).first()
        if generation is not None:
            return generation.job_id
        if outputs.MadeOutput.objects.filter(job_ref=number).exists():
            return number
    return None


def is_about_work_of(plea: TakedownPlea, user: User) -> bool:
    return plea.job_ref is not None and Generation.objects.filter(job_id=plea.job_ref, owner=user).exists()


def decide_takedown(plea: TakedownPlea, status: str, by: User | None, answer: str = "") -> bool:
    """Grant or refuse. Granted: removed everywhere at once. False where it names nothing that was made here; and where
    somebody would refuse what is asked about their own work."""
    if status == PleaStatus.REFUSED and by is not None and is_about_work_of(plea, by):
        return False
    with transaction.atomic():
        if status == PleaStatus.GRANTED and (
            plea.job_ref is None or not take_down(plea.job_ref, by=by, note=f"request {plea.pk}")
        ):
            return False
        _decide(plea, status, by, answer)
        return True


def decide_face(plea: FacePlea, status: str, by: User | None, answer: str = "") -> None:
    """Grant or refuse. Granted: a job of the site describes the face, puts it on the list and deletes the portrait."""
    with transaction.atomic():
        _decide(plea, status, by, answer)
        if status == PleaStatus.GRANTED:
            ledger.append("face_request_granted", user=by, request=str(plea.pk))
            lifecycle.submit_system(BLOCK_FACES)
        elif status == PleaStatus.REFUSED:
            forget_portrait(plea)


def waiting_faces() -> QuerySet[FacePlea]:
    """Granted requests whose face is not yet on the list."""
    return FacePlea.objects.filter(status=PleaStatus.GRANTED).exclude(portrait="")


def forget_portrait(plea: FacePlea) -> None:
    if plea.portrait:
        storage, name = plea.portrait.storage, str(plea.portrait.name)
        FacePlea.objects.filter(pk=plea.pk).update(portrait="")
        transaction.on_commit(lambda: storage.delete(name), robust=True)


def _decide(plea: FacePlea | TakedownPlea, status: str, by: User | None, answer: str) -> None:
    plea.status, plea.decided, plea.decided_by = status, timezone.now(), by
    plea.answer = answer or plea.answer
    plea.save(update_fields=["status", "decided", "decided_by", "answer"])
