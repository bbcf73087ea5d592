"""Deleting an account with everything: jobs stopped, rows and files gone, lines of the ledger left without a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from generation import ledger
from jobs import lifecycle, outputs
from jobs.files import remove_on_commit
from jobs.models import Job, MadeOutput

from . import holdings

if TYPE_CHECKING:
    from .holdings import Holdings

# What the account wrote about things of others stays, since somebody may rely on it, but not its words.
WORDS: Final = {"detection.Report": {"comment": "", "session_key": ""}}
BATCH: Final = 500


class LastAdministrator(Exception):
    """Nobody would be left who can administer the site."""


def delete_account(user: User) -> None:
    """Raises LastAdministrator, and then has done nothing."""
    if user.is_superuser and not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists():
        raise LastAdministrator
    for job_id in Job.objects.unfinished().filter(owner=user).values_list("pk", flat=True):
        lifecycle.cancel(job_id)  # what runs is told now, and finds its row gone a moment later
    with transaction.atomic():
        # Nothing more can be queued or published for the account from here on: both need these rows.
        User.objects.select_for_update().get(pk=user.pk)
        list(Job.objects.select_for_update().filter(owner=user).values_list("pk", flat=True))
        _write_ledger(user)
        held = holdings.of(user)
        _forget_words(held)
        _forget_names_in_the_log(held)
        _end_sessions(user)
        for stored in held.files():  # those of models that do so by themselves are removed once all the same
            remove_on_commit(stored.storage, str(stored.name))
        user.delete()


def _write_ledger(user: User) -> None:
    """What was made is withdrawn, so that a check still says that it was made here and nothing more."""
    made = MadeOutput.objects.filter(job__owner=user, withdrawn=None).values_list("job_ref", flat=True).distinct()
    for job_ref in list(made):
        outputs.withdraw(job_ref)
        ledger.append("withdrawn", user=user, job_ref=job_ref, why="account_deleted")
    ledger.append("account_deleted", user=user)


def _forget_words(held: Holdings) -> None:
    for model, _link, rows in held.said:
        blank = WORDS.get(model._meta.label)
        if blank:
            model._base_manager.filter(pk__in=[row.pk for row in rows]).update(**blank)


def _forget_names_in_the_log(held: Holdings) -> None:
    """The desk's log names what was changed there, an e-mail address or the name of a file: that something was
    changed stays, and by whom."""
    for model, rows in held.own.items():
        kind = ContentType.objects.get_for_model(model)
        keys = [str(row.pk) for row in rows]
        for start in range(0, len(keys), BATCH):
            about = LogEntry.objects.filter(content_type=kind, object_id__in=keys[start : start + BATCH])
            about.update(object_repr="", object_id=None, change_message="")


def _end_sessions(user: User) -> None:
    for key in UserSession.objects.filter(user=user).values_list("session_key", flat=True):
        SessionStore(key).delete()
