"""What the PDF says of people's verdict: above that of the detectors, because it holds over theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table, TableStyle

from .drawings import SOFT, Sign, colour_of
from .fonts import BOLD, marked

if TYPE_CHECKING:
    from detection.models import Check

SIGN: Final = 9 * mm


def flowables(check: Check, width: float, body: ParagraphStyle, plain: TableStyle) -> list[Flowable]:
    """Nothing where only the detectors have spoken."""
    human = check.human
    if human is None:
        return []
    words = ParagraphStyle("human", body, fontName=BOLD, fontSize=16, leading=19, textColor=colour_of(human.level))
    sign = Table([[Sign(human.level, SIGN), Paragraph(marked(human.words), words)]], [12 * mm, width - 12 * mm])
    sign.setStyle(TableStyle([*plain.getCommands(), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]))
    label = ParagraphStyle("label", body, fontName=BOLD, textColor=SOFT)
    return [
        sign,
        Spacer(0, 2 * mm),
        Paragraph(marked(f"{human.sentence} {human.holding}"), body),
        Spacer(0, 5 * mm),
        Paragraph(marked(_("What the detectors said")), label),
        Spacer(0, 2 * mm),
    ]
