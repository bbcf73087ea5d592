"""Why something is not made: a reason as data, and the sentence that says it to the person."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Any, Final

from django.apps import apps
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from jobs.errors import PersonError

logger = logging.getLogger(__name__)


class Reason(StrEnum):
    NOT_SIGNED_IN = "not_signed_in"
    NO_PERMISSION = "no_permission"
    TERMS = "terms_not_accepted"
    NOT_AFFIRMED = "not_affirmed"
    NO_CONSENT = "no_consent"
    CONSENT_OF_ANOTHER = "consent_of_another"
    CONSENT_FOR_ANOTHER_FACE = "consent_for_another_face"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    UNKNOWN_IDENTITY = "unknown_identity"
    MORE_PEOPLE = "more_people_than_consents"
    FILE_IN_USE = "file_in_use"
    DAILY_QUOTA = "daily_quota"
    BLOCKED_PICTURE = "blocked_picture"
    BLOCKED_FACE = "blocked_face"
    LOOKS_UNDER_AGE = "looks_under_age"
    LOOKS_SEXUAL = "looks_sexual"
    WITHDRAWN = "withdrawn"
    NOT_ADMITTED = "not_admitted"


SENTENCES: Final[dict[Reason, str]] = {
    Reason.NOT_SIGNED_IN: _("Only signed-in members can make something here. Please sign in first."),
    Reason.NO_PERMISSION: _("This account may not make anything. Ask the people who run this site."),
    Reason.TERMS: _("Please read and accept the present terms first."),
    Reason.NOT_AFFIRMED: _("Please affirm that nobody shown is under eighteen and that nothing sexual is made."),
    Reason.NO_CONSENT: _("There is no record of consent for one of the faces. State who it is first."),
    Reason.CONSENT_OF_ANOTHER: _("This record of consent was made by another account and cannot be used by you."),
    Reason.CONSENT_FOR_ANOTHER_FACE: _("This record of consent was given for another picture or person."),
    Reason.CONSENT_WITHDRAWN: _("The consent for one of the faces was withdrawn. Nothing is made of it any more."),
    Reason.UNKNOWN_IDENTITY: _("There is no such built-in person. Choose one from the list."),
    Reason.MORE_PEOPLE: _("The picture shows more people than consent was stated for. Use one that shows only them."),
    Reason.FILE_IN_USE: _("This file is in work already: the same was asked for twice. Look into your gallery."),
    Reason.DAILY_QUOTA: _("You have made as much as one account may make in a day. Please come back tomorrow."),
    Reason.BLOCKED_PICTURE: _("This picture was taken down on request and cannot be used here."),
    Reason.BLOCKED_FACE: _(
        "A face in this picture resembles somebody who asked never to be swapped, so it is refused."
    ),
    Reason.LOOKS_UNDER_AGE: _("Somebody in this picture looks like a minor, so nothing is made of it."),
    Reason.LOOKS_SEXUAL: _("This picture looks sexual, so nothing is made of it."),
    Reason.WITHDRAWN: _("This was taken down, so nothing more is made of it."),
    Reason.NOT_ADMITTED: _("This job did not come in by the way that asks for consent, so nothing is made."),
}

STATUS: Final[dict[Reason, int]] = {
    Reason.NOT_SIGNED_IN: 401,
    Reason.DAILY_QUOTA: 429,
    Reason.TERMS: 409,
    Reason.FILE_IN_USE: 409,
    Reason.UNKNOWN_IDENTITY: 404,
    Reason.NOT_AFFIRMED: 400,
    Reason.NO_CONSENT: 400,
}


class Refused(PersonError):
    """Generation says no. `reason` is stable and machine-readable; every refusal is in the log."""

    def __init__(self, reason: Reason, **facts: Any) -> None:
        # In the inference process there is no Django to translate.
        super().__init__(reason.value, gettext(SENTENCES[reason]) if apps.ready else SENTENCES[reason])
        self.reason = reason
        told = " ".join(f"{name}={value}" for name, value in facts.items())
        logger.warning("refused: %s %s", reason.value, told)

    @property
    def status(self) -> int:
        return STATUS.get(self.reason, 403)
