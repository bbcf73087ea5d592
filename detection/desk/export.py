"""Labelled crops for training and measuring: of pictures whose owner allowed it, judged by people, and still kept.

The archive is made of what the browser-facing process can do by itself: it decodes no video and knows no detector.
"""

from __future__ import annotations

import csv
import io
import logging
import tempfile
import zipfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageOps

from . import trail
from .codes import Event, Stand, Verdict
from .consequences import HARM
from .models import ReviewItem
from .permissions import role_of
from .reports import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

    from detection.models import Check, FaceFinding

logger = logging.getLogger(__name__)

MARGIN: Final = 1.0
"""Of the face's longer side, added all round: enough for every detector's view of a face, and little of the scene."""
NEWEST: Final = 300
"""Pictures of an archive that a page hands out while somebody waits; `manage.py export_desk` takes all."""
FORMATS: Final = ("JPEG", "PNG", "WEBP", "MPO")
COLUMNS: Final = (
    "path", "label", "set", "group", "native_face_px", "face_x0", "face_y0", "face_x1", "face_y1",
    "machine_level", "machine_probability", "weights", "thresholds", "judged", "people", "delete_after",
)  # fmt: skip
LABELS: Final = {Verdict.AUTHENTIC: "real", Verdict.MANIPULATED: "swap"}
README: Final = """Labelled faces from the review desk of {site}, made {made}.

index.csv names every crop, what people judged it to be, and what the detectors had said. Their owners allowed that the
crops train and measure the detectors, and nothing else; they may withdraw that. Delete each crop when its day in the
column delete_after has come, and the whole archive when you make a new one.

  python -m ml evaluate desk THIS.zip

measures the detectors on it, and leaves out what is past its day.

Left out: {left_out}
"""


@dataclass(slots=True)
class Tally:
    """How many crops there are, and why others are not among them."""

    crops: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    def leave(self, why: str) -> None:
        self.left_out[why] = self.left_out.get(why, 0) + 1


def allowed() -> QuerySet[ReviewItem]:
    """Settled pictures whose owner has said yes and has not taken it back, that nobody says are harmful, and that are
    not due to be deleted."""
    now = timezone.now()
    harmful = Report.objects.filter(reason__in=HARM).exclude(status=Report.Status.DISMISSED).values("subject")
    return (
        ReviewItem.objects.filter(
            state=Stand.SETTLED,
            verdict__in=list(LABELS),
            subject__training_consent__isnull=False,
            subject__media="picture",
            subject__purge_after__gt=now,
        )
        .exclude(subject__in=harmful)
        .select_related("subject__original")
        .prefetch_related("subject__faces")
        .order_by("-decided", "subject")
    )


def write(target: IO[bytes], user: User | None, site: str, newest: int | None = None) -> Tally:
    """Write the archive, and a line about it into the audit trail. `user` is None at the command line."""
    tally = Tally()
    index = io.StringIO()
    rows = csv.DictWriter(index, COLUMNS)
    rows.writeheader()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for item in allowed()[:newest].iterator(chunk_size=100):
            for face, png, box in _crops(item, tally):
                tally.crops += 1
                name = f"crops/{tally.crops:05d}.png"
                archive.writestr(name, png)
                rows.writerow(_row(name, item, face, box))
        archive.writestr("index.csv", index.getvalue())
        left_out = "; ".join(f"{count} {why}" for why, count in sorted(tally.left_out.items())) or "nothing"
        made = timezone.now().date().isoformat()
        archive.writestr("README.txt", README.format(site=site, made=made, left_out=left_out))
    with transaction.atomic():
        trail.write(
            Event.EXPORTED, by=user, role=role_of(user) if user else "", crops=tally.crops, left_out=tally.left_out
        )
    return tally


def as_file(user: User, site: str) -> IO[bytes]:
    """The archive as a temporary file, at its beginning."""
    target: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=16 * 1024 * 1024)  # noqa: SIM115 - its reader closes it
    write(target, user, site, NEWEST)
    target.seek(0)
    return target


def _crops(item: ReviewItem, tally: Tally) -> Iterator[tuple[FaceFinding, bytes, tuple[int, int, int, int]]]:
    """The faces that the verdict speaks of. Of an authentic picture all; of a manipulated one only a face that is
    alone, because the verdict does not say which one was altered."""
    check: Check = item.subject
    faces = list(check.faces.all())
    if not faces:
        tally.leave("without a face")
        return
    if item.verdict == Verdict.MANIPULATED and len(faces) > 1:
        tally.leave("manipulated, with several faces: the verdict does not say which")
        return
    if check.original is None:
        tally.leave("whose original is gone")
        return
    try:
        with check.original.file.open("rb") as stored, Image.open(stored, formats=FORMATS) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        logger.warning("the original of check %s could not be read for an export", check.pk)
        tally.leave("whose original could not be read")
        return
    for face in faces:
        side = MARGIN * max(face.x1 - face.x0, face.y1 - face.y0)
        box = (
            max(0, round(face.x0 - side)),
            max(0, round(face.y0 - side)),
            min(upright.width, round(face.x1 + side)),
            min(upright.height, round(face.y1 + side)),
        )
        buffer = io.BytesIO()
        # Without loss: saving once more as JPEG would lay its own traces over those that are to be measured.
        upright.crop(box).save(buffer, "PNG", compress_level=6)
        yield face, buffer.getvalue(), box


def _row(name: str, item: ReviewItem, face: FaceFinding, box: tuple[int, int, int, int]) -> dict[str, object]:
    check = item.subject
    left, top = box[:2]
    return {
        "path": name,
        "label": LABELS[Verdict(item.verdict)],
        "set": "desk",
        "group": check.perceptual_hash or str(check.pk),  # copies of one picture are no independent evidence
        "native_face_px": face.x1 - face.x0,
        "face_x0": face.x0 - left,
        "face_y0": face.y0 - top,
        "face_x1": face.x1 - left,
        "face_y1": face.y1 - top,
        "machine_level": face.level,
        "machine_probability": "" if face.probability is None else face.probability,
        "weights": check.weights_version,
        "thresholds": check.thresholds_version,
        "judged": item.decided.isoformat() if item.decided else "",
        "people": item.opinions,
        "delete_after": check.purge_after.isoformat() if check.purge_after else "",
    }
