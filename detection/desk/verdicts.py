"""What people judged, as everybody is told it: the verdict, in which role, and when. Never by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from .codes import LEVEL_OF, Role, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from detection.levels import Level
    from detection.models import Check

WORDS: Final = {
    Verdict.AUTHENTIC: gettext_lazy("Judged authentic"),
    Verdict.MANIPULATED: gettext_lazy("Judged manipulated"),
    Verdict.UNSURE: gettext_lazy("People could not tell"),
}
SENTENCES: Final = {
    Verdict.AUTHENTIC: gettext_lazy("{who} judged it authentic on {when}."),
    Verdict.MANIPULATED: gettext_lazy("{who} judged it manipulated on {when}."),
    Verdict.UNSURE: gettext_lazy("{who} looked at it on {when} and could not tell."),
}


@dataclass(frozen=True, slots=True)
class HumanVerdict:
    """`overrides`: whether it says something else than the detectors; `people`: how many said so."""

    verdict: Verdict
    level: Level
    role: Role
    decided: datetime
    people: int
    overrides: bool

    @property
    def words(self) -> str:
        return str(WORDS[self.verdict])

    @property
    def by_whom(self) -> str:
        if self.role == Role.ADMINISTRATOR:
            return _("An administrator of this site")
        return ngettext("A reviewer of this site", "%(count)d reviewers of this site", self.people) % {
            "count": self.people
        }

    @property
    def holding(self) -> str:
        """How it stands beside what the detectors say."""
        if self.overrides:
            return _("That holds over what the detectors say.")
        return _("The detectors say the same.")

    @property
    def sentence(self) -> str:
        """Who in which role says what, and when, as plain text."""
        here = localtime(self.decided)
        when = f"{date_format(here, 'DATETIME_FORMAT')} {here.tzname() or ''}".strip()
        return str(SENTENCES[self.verdict]).format(who=self.by_whom, when=when)

    @property
    def sentence_html(self) -> str:
        """The same for pages, which show dates in the reader's own form."""
        shown = date_format(localtime(self.decided), "DATETIME_FORMAT")
        when = format_html('<time datetime="{}">{}</time>', self.decided.isoformat(), shown)
        return format_html(str(SENTENCES[self.verdict]), who=self.by_whom, when=when)

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.value,
            "words": self.words,
            "level": self.level.value,
            "role": self.role.value,
            "people": self.people,
            "judged": self.decided.isoformat(),
            "overrides": self.overrides,
        }


def human_verdict(check: Check) -> HumanVerdict | None:
    try:
        item = check.review
    except ObjectDoesNotExist:
        return None
    if not item.verdict or item.decided is None:
        return None
    verdict = Verdict(item.verdict)
    level = LEVEL_OF[verdict]
    role = Role(item.decided_role or Role.REVIEWER)
    return HumanVerdict(verdict, level, role, item.decided, max(1, item.opinions), level != check.level)
