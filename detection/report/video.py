"""What the PDF says of a video: who was followed through it, and how the score went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from detection.levels import Level

from .drawings import Course
from .fonts import marked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import TableStyle

    from .contents import Contents


def flowables(contents: Contents, width: float, cell: ParagraphStyle, lines: TableStyle) -> list[Flowable]:
    check = contents.check
    found: list[Flowable] = []
    points = [
        (float(each["seconds"]), float(each["probability"]))
        for each in check.timeline
        if _number(each.get("seconds")) and _number(each.get("probability"))
    ]
    if points:
        found += [Course(points, check.duration or points[-1][0], check, width), Spacer(0, 2 * mm)]
    if check.people:
        head = [_("Person"), _("Verdict"), _("Probability"), _("From"), _("To"), _("Frames")]
        rows = [head, *(_person(number, person) for number, person in enumerate(check.people, 1))]
        cells = [[Paragraph(marked(text), cell) for text in row] for row in rows]
        found.append(Table(cells, [width / 6] * 6, style=lines, repeatRows=1))
    return found


def _person(number: int, person: Mapping[str, Any]) -> list[str]:
    level = str(person.get("level", ""))
    words = str(Level(level).label) if level in Level.values else level
    chance = person.get("probability")
    return [
        str(number),
        words,
        f"{100 * chance:.0f} %" if _number(chance) else "\u2013",
        _seconds(person.get("first")),
        _seconds(person.get("last")),
        str(person.get("frames", "\u2013")),
    ]


def _seconds(value: object) -> str:
    return f"{value:.1f} s" if _number(value) else "\u2013"


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
