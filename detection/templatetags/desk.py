"""Words for the desk: why something lies there, with the figures that a flag was raised with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection import wording
from detection.desk.codes import LEVEL_OF, Reason, Verdict
from detection.desk.reports import Report

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from detection.models import Check, Flag, ReviewItem

register = template.Library()


@register.filter
def at(found: Mapping[str, Any], key: str) -> Any:
    return found.get(key)


@register.filter
def human_level(item: ReviewItem) -> str:
    return LEVEL_OF[Verdict(item.verdict)].value if item.verdict else ""


@register.filter
def on_desk(check: Check) -> bool:
    try:
        return check.review is not None
    except ObjectDoesNotExist:
        return False


@register.filter
def flag_words(flag: Flag) -> str:
    """In a few words, for a list: what was reported rather than that something was."""
    if flag.reason == Reason.REPORTED:
        said = _report_reasons(flag)
        return f"{Reason.REPORTED.label}: {said}" if said else str(Reason.REPORTED.label)
    return str(flag.get_reason_display())


@register.filter
def flag_sentence(flag: Flag) -> str:
    detail = flag.detail
    if flag.reason == Reason.REPORTED:
        count = int(detail.get("reports") or 1)
        return ngettext("One open report.", "%(count)d open reports.", count) % {"count": count}
    if flag.reason == Reason.OWN_OUTPUT:
        by = {"bytes": _("the very bytes"), "mark": _("the invisible mark"), "looks": _("its looks")}
        words = _("Recognised as made on this site by %(by)s, but its signed statement is gone or broken.") % {
            "by": by.get(str(detail.get("by")), _("its looks"))
        }
        return f"{words} {_('It was taken down.')}" if detail.get("withdrawn") else words
    if flag.reason == Reason.REPEATED:
        return _("%(owners)s different people checked it within days.") % {"owners": detail.get("owners")}
    if flag.reason == Reason.DISAGREEMENT:
        low, high = _percent(detail.get("low")), _percent(detail.get("high"))
        return _("Face %(face)s: the detectors give it between %(low)s and %(high)s %%.") % {
            "face": detail.get("face"), "low": low, "high": high,
        }  # fmt: skip
    if flag.reason == Reason.NEAR_THRESHOLD:
        return _("The score is %(score)s %%, the threshold %(threshold)s %%.") % {
            "score": _percent(detail.get("probability")),
            "threshold": _percent(detail.get("threshold")),
        }
    return wording.reason(str(detail.get("code", "")), "")


def _report_reasons(flag: Flag) -> str:
    codes = [code for code in flag.detail.get("reasons", []) if code in Report.Reason.values]
    return ", ".join(str(Report.Reason(code).label) for code in codes)


def _percent(value: object) -> str:
    return f"{100 * value:.0f}" if isinstance(value, int | float) else "\u2013"


@register.filter
def duration_words(length: timedelta | None) -> str:
    """The length in its largest unit, and one smaller."""
    if length is None:
        return "\u2013"
    minutes = round(length.total_seconds() / 60)
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return _("%(days)s d %(hours)s h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}
    return _("%(minutes)s min") % {"minutes": minutes}
