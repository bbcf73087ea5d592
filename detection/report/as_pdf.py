"""The report for people: A4, selectable text, one part after the other as on the page of the check."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    Image,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from detection import wording
from detection.templatetags.findings import sentences

from . import human, provenance, video
from .contents import caveat
from .drawings import INK, RULE, SHEET, SOFT, Plate, Scale, Sign, colour_of, small_jpeg
from .fonts import BOLD, REGULAR, is_embedded, letters, marked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from detection.models import FaceFinding

    from .contents import Contents

MARGIN: Final = 18 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
PLATE: Final = (62 * mm, 70 * mm)
PLATE_PIXELS: Final = 560  # at that size about 220 dots an inch
FACE: Final = 28 * mm
FACE_PIXELS: Final = 176

BODY: Final = ParagraphStyle("body", fontName=REGULAR, bulletFontName=REGULAR, fontSize=9, leading=12.5, textColor=INK)
POINT: Final = ParagraphStyle("point", BODY, leftIndent=4 * mm)
SMALL: Final = ParagraphStyle("small", BODY, fontSize=7.5, leading=10, textColor=SOFT)
CELL: Final = ParagraphStyle("cell", BODY, fontSize=8, leading=10.5)
NAME: Final = ParagraphStyle("name", CELL, textColor=SOFT)
TITLE: Final = ParagraphStyle("title", BODY, fontName=BOLD, fontSize=17, leading=21, spaceAfter=1 * mm)
HEADING: Final = ParagraphStyle(
    "heading", BODY, fontName=BOLD, fontSize=11.5, leading=15, spaceBefore=5 * mm, spaceAfter=2 * mm
)
LINES: Final = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
)
PLAIN: Final = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ]
)


def render(contents: Contents, *, compressed: bool = True) -> bytes:
    """The report as a PDF file."""
    letters()
    rl_config.useA85 = 0  # pictures as they are, not blown up by a quarter for mail servers of the seventies
    buffer = io.BytesIO()
    document = _Document(
        buffer,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=_title(contents),
        author=contents.site,
        subject=contents.words,
        creator=contents.site,
        lang=get_language() or "en",
        displayDocTitle=True,
        pageCompression=1 if compressed else 0,
    )
    footer = _("%(site)s estimates; it does not prove.") % {"site": contents.site}
    document.build(_story(contents), canvasmaker=lambda *args, **options: _Pages(*args, footer=footer, **options))
    return buffer.getvalue()


class _Document(BaseDocTemplate):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        body = Frame(MARGIN, MARGIN, WIDTH, A4[1] - 2 * MARGIN, 0, 0, 0, 0)
        self.addPageTemplates([PageTemplate("page", [body])])

    def afterFlowable(self, flowable: Flowable) -> None:
        """Headings are the file's outline."""
        if isinstance(flowable, Paragraph) and flowable.style in (TITLE, HEADING):
            key = f"part-{self.seq.nextf('part')}"
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(flowable.getPlainText(), key, 0 if flowable.style is TITLE else 1)


class _Pages(Canvas):  # type: ignore[misc]
    """Numbers every page, with how many there are: known when the last one is done."""

    def __init__(self, *args: Any, footer: str, **options: Any) -> None:
        super().__init__(*args, **{**options, "initialFontName": REGULAR})
        self._footer = footer
        self._held: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._held.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        held = self._held
        for number, page in enumerate(held, 1):
            self.__dict__.update(page)
            self.setFont(REGULAR, 7.5)
            self.setFillColor(SOFT)
            self.drawString(MARGIN, 10 * mm, self._footer)
            words = _("Page %(number)s of %(pages)s") % {"number": number, "pages": len(held)}
            self.drawRightString(A4[0] - MARGIN, 10 * mm, words)
            super().showPage()
        super().save()


def _title(contents: Contents) -> str:
    return _("%(site)s: report of a check") % {"site": contents.site}


def _story(contents: Contents) -> list[Flowable]:
    check = contents.check
    story: list[Flowable] = [
        Paragraph(marked(_title(contents)), TITLE),
        Paragraph(marked(_("Made %(date)s") % {"date": _moment(contents.made)}), SMALL),
        Spacer(0, 4 * mm),
        *human.flowables(contents.check, WIDTH, BODY, PLAIN),
        _verdict(contents),
        Spacer(0, 4 * mm),
        _boxed(caveat()),
        *_part(_("The file"), [_facts(_file_facts(contents))]),
    ]
    if check.media == check.Media.VIDEO:
        story += _part(_("Over time"), video.flowables(contents, WIDTH, CELL, LINES))
    if contents.faces:
        heading = _("Person by person") if check.media == check.Media.VIDEO else _("Face by face")
        story += _part(heading, [each for face in contents.faces for each in _face(face)])
        story.append(Paragraph(marked(_legend()), SMALL))
    if check.provenance:
        story += _part(_("What the file says about itself"), [_facts(provenance.rows(contents))])
    unchecked = [*sentences(check.not_checked), _("Whether the scene, the caption and the source are true.")]
    story += _part(
        _("What was not checked"), [Paragraph(marked(line), POINT, bulletText="\u2022") for line in unchecked]
    )
    story += _part(_("How it was checked"), [_facts(_making(contents))])
    return story


def _part(heading: str, flowables: Sequence[Flowable]) -> list[Flowable]:
    return [CondPageBreak(35 * mm), Paragraph(marked(heading), HEADING), *flowables]


def _verdict(contents: Contents) -> Table:
    check = contents.check
    jpeg = small_jpeg(check.display, PLATE_PIXELS)
    plate = Plate(jpeg, contents.faces, *PLATE) if jpeg else None
    wide = WIDTH - (PLATE[0] + 6 * mm if plate else 0)
    colour = colour_of(check.level)
    words = ParagraphStyle("verdict", BODY, fontName=BOLD, fontSize=16, leading=19, textColor=colour)
    sign = Table(
        [[Sign(check.level, 9 * mm), Paragraph(marked(check.get_level_display()), words)]], [12 * mm, wide - 12 * mm]
    )
    sign.setStyle(TableStyle([*PLAIN.getCommands(), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]))
    said: list[Flowable] = [
        sign,
        Spacer(0, 2 * mm),
        Paragraph(marked(wording.reason(check.reason_code, check.reason)), BODY),
    ]
    if check.probability is not None:
        said += [Spacer(0, 2 * mm), Paragraph(marked(_chance(contents)), BODY), Spacer(0, 2 * mm)]
        said.append(Scale(check, wide, _("inconclusive")))
    if not plate:
        return Table([[said]], [WIDTH], style=PLAIN)
    return Table([[plate, said]], [PLATE[0] + 6 * mm, wide], style=PLAIN)


def _chance(contents: Contents) -> str:
    check = contents.check
    of = {"percent": check.percent, "low": check.interval_low_percent, "high": check.interval_high_percent}
    if check.media == check.Media.VIDEO and len(check.people) == 1:
        first = _("Probability that this person was altered: %(percent)s %%.") % of
    elif check.media == check.Media.VIDEO:
        first = _("Probability that the most suspicious person was altered: %(percent)s %%.") % of
    elif len(contents.faces) > 1:
        first = _("Probability that the most suspicious face was altered: %(percent)s %%.") % of
    else:
        first = _("Probability that this face was altered: %(percent)s %%.") % of
    if check.interval is None:
        return first
    moved = _("It lies between %(low)s and %(high)s %% when nothing that matters is changed.") % of
    return f"{first} {moved}"


def _boxed(text: str) -> Table:
    box = Table([[Paragraph(marked(text), BODY)]], [WIDTH])
    style = [("BACKGROUND", (0, 0), (-1, -1), SHEET), ("LINEBEFORE", (0, 0), (0, -1), 2.5, colour_of("inconclusive"))]
    box.setStyle(TableStyle([*style, ("TOPPADDING", (0, 0), (-1, -1), 6), ("BOTTOMPADDING", (0, 0), (-1, -1), 6)]))
    return box


def _file_facts(contents: Contents) -> list[tuple[str, str]]:
    check, original = contents.check, contents.check.original
    rows = []
    if contents.name:
        rows.append((_("Name"), contents.name))
        if not is_embedded(contents.name):
            rows.append(
                ("", _("Not every letter can be shown everywhere: some need fonts of the reader, others stand as [?]."))
            )
    if original is not None:
        rows.append(("SHA-256", original.sha256))
        size = ngettext("%(count)s byte", "%(count)s bytes", original.size) % {"count": original.size}
        rows.append((_("Kind and size"), f"{original.content_type}, {size}"))
    if check.width and check.height:
        rows.append((_("Pixels"), f"{check.width} \u00d7 {check.height}"))
    if check.duration is not None:
        rows.append((_("Length"), _("%(seconds)s s") % {"seconds": f"{check.duration:.1f}"}))
    rows.append((_("Checked"), _moment(check.created)))
    return rows


def _making(contents: Contents) -> list[tuple[str, str]]:
    check = contents.check
    rows = [(_("Site"), f"{contents.site}, {contents.address}")]
    if check.band_low is not None and check.band_high is not None:
        band = {"low": f"{100 * check.band_low:.0f}", "high": f"{100 * check.band_high:.0f}"}
        rows.append((_("Inconclusive between"), _("%(low)s and %(high)s %%") % band))
    rows += [
        (_("Weights"), check.weights_version or "\u2013"),
        (_("Thresholds"), check.thresholds_version or "\u2013"),
        (_("Device"), check.device or "\u2013"),
    ]
    if check.seconds is not None:
        rows.append((_("Took"), _("%(seconds)s s") % {"seconds": f"{check.seconds:.2f}"}))
    return rows


def _face(face: FaceFinding) -> list[Flowable]:
    colour = colour_of(face.level)
    style = ParagraphStyle("face", BODY, fontName=BOLD, fontSize=10, leading=13, textColor=colour)
    chance = "" if face.percent is None else f", {face.percent} %"
    said: list[Flowable] = [
        Paragraph(f"{face.number}. {marked(face.get_level_display())}{chance}", style),
        Paragraph(marked(wording.reason(face.reason_code, face.reason)), CELL),
    ]
    if face.detectors:
        each = "; ".join(f"{wording.detector_name(str(row['name']))} {row['percent']} %" for row in face.detector_rows)
        said.append(Paragraph(marked(each), CELL))
    rows = wording.judgements(face)
    facts = "; ".join(f"{row.name}: {row.value}" for row in rows)
    said.append(Paragraph(marked(f"{facts}. {wording.trust_in(rows)}"), SMALL))
    looks = [_picture(small_jpeg(artifact, FACE_PIXELS)) for artifact in (face.crop, face.boundary or face.gradcam)]
    wide = WIDTH - 2 * (FACE + 3 * mm)
    table = Table([[*looks, said]], [FACE + 3 * mm, FACE + 3 * mm, wide], style=PLAIN)
    return [table, Spacer(0, 3 * mm)]


def _picture(jpeg: io.BytesIO | None) -> Flowable:
    return Image(jpeg, FACE, FACE, kind="proportional") if jpeg else Spacer(FACE, 0)


def _legend() -> str:
    return _(
        "Beside each face stands its map: where the boundary network sees a seam or, where there is no such map, what "
        "the networks reacted to. A map helps to look closer and is never a proof."
    )


def _facts(rows: Iterable[tuple[str, str]]) -> Table:
    cells = [[Paragraph(marked(name), NAME), Paragraph(marked(value), CELL)] for name, value in rows]
    return Table(cells, [38 * mm, WIDTH - 38 * mm], style=LINES)


def _moment(moment: datetime) -> str:
    here = localtime(moment)
    return f"{date_format(here, 'DATETIME_FORMAT')} {here.tzname() or ''}".strip()
