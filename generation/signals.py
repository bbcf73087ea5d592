"""Files that belong to rows of this app go with them."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from jobs.files import remove_on_commit

from .models import Consent, FacePlea


@receiver(post_delete, sender=Consent)
def remove_evidence(instance: Consent, **kwargs: Any) -> None:
    if instance.evidence:
        remove_on_commit(instance.evidence.storage, str(instance.evidence.name))


@receiver(post_delete, sender=FacePlea)
def remove_portrait(instance: FacePlea, **kwargs: Any) -> None:
    if instance.portrait:
        remove_on_commit(instance.portrait.storage, str(instance.portrait.name))
