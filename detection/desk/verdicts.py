"""What people judged, as everybody is told it: the verdict, in which role, and when. Never by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
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
    Verdict.AUTHENTIC: gettext_lazy("judged it authentic"),
    Verdict.MANIPULATED: gettext_lazy("judged it manipulated"),
    Verdict.UNSURE: gettext_lazy("looked at it and could not tell"),
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
    def sentence(self) -> str:
        """Who in which role says what; the date stands beside it, in the reader's form."""
        return f"{self.by_whom} {SENTENCES[self.verdict]}"

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
