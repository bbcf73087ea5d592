"""The desk's figures and the archive of labelled crops: what counts, and what must not be in it."""

from __future__ import annotations

import csv
import io
import stat
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from detection import services
from detection.desk import claims, export, figures, judgements
from detection.desk.codes import Verdict
from detection.models import Check, JudgementEntry, ReviewItem
from tests.detection import factories

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db
ONE_FACE = replace(factories.RESULT, faces=(factories.FACE,))


def judged(user: User, verdict: Verdict, name: str = "photo.jpg", data: bytes | None = None, **changes: Any) -> Check:
    """A reported check, allowed for training, with a person's verdict."""
    owner = factories.requester(session_key=f"visitor-{Check.objects.count()}")
    check = factories.finished(factories.queued(owner, name, data), replace(ONE_FACE, **changes))
    services.allow_training(check, True)
    services.report_check(check, owner, "wrong_verdict")
    claims.claim(check.pk, user)
    judgements.judge(check.pk, user, verdict)
    check.refresh_from_db()
    return check


def moved(entries: Any, **delta: float) -> None:
    """Put lines of the trail into the past; the guard against that stands aside for it."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER detection_trail_no_update")
        for entry in entries:
            cursor.execute(
                "UPDATE detection_judgemententry SET created = %s WHERE id = %s",
                [entry.created - timedelta(**delta), entry.pk],
            )


class TestFigures:
    def test_an_empty_desk(self, rita: User) -> None:
        told = figures.context()
        assert (told["ages"].waiting, told["ages"].oldest, told["median_wait"]) == (0, None, None)
        assert len(told["weeks"]) == figures.WEEKS
        assert told["kinds"] == []
        assert told["whole"].percent is None

    def test_agreement_counts_what_both_decided(self, rita: User) -> None:
        judged(rita, Verdict.MANIPULATED)
        judged(rita, Verdict.AUTHENTIC)
        judged(rita, Verdict.UNSURE)
        judged(rita, Verdict.AUTHENTIC, level="inconclusive")
        judged(rita, Verdict.AUTHENTIC, level="likely_authentic", probability=0.05, interval=None)
        told = figures.context()
        whole = told["whole"]
        assert (whole.same, whole.other, whole.percent) == (2, 1, 67)
        low, high = whole.interval
        assert low < 67 < high
        manipulated = next(kind for kind in told["kinds"] if kind.level == "likely_manipulated")
        assert (manipulated.media, manipulated.authentic, manipulated.manipulated, manipulated.unsure) == (
            "picture", 1, 1, 1,
        )  # fmt: skip
        this_week = told["weeks"][-1]
        assert (this_week.flagged, this_week.judged, this_week.agreement.of) == (5, 5, 3)
        assert told["false_alarms"]["count"] == 1
        assert told["misses"]["count"] == 0
        assert told["median_wait"] < timedelta(minutes=5)

    def test_what_was_taken_back_does_not_count(self, rita: User) -> None:
        judged(rita, Verdict.AUTHENTIC)
        assert figures.context()["false_alarms"]["count"] == 1
        judgements.undo(judgements.recent(rita)[0].pk, rita)
        told = figures.context()
        assert (told["whole"].of, told["false_alarms"]["count"], told["weeks"][-1].judged) == (0, 0, 0)

    def test_weeks_begin_on_monday_and_go_with_the_trail(self, rita: User) -> None:
        check = judged(rita, Verdict.MANIPULATED)
        services.delete_check(check)
        moved(JudgementEntry.objects.filter(check_ref=check.pk), weeks=3)
        weeks = figures.context()["weeks"]
        assert [week.judged for week in weeks] == [0] * 8 + [1] + [0] * 3, "the picture is gone, the verdict counts"
        assert all(week.start.weekday() == 0 for week in weeks)

    def test_ages(self, rita: User) -> None:
        now = timezone.now()
        for hours in (0.5, 5, 30, 100, 1000):
            owner = factories.requester(session_key=f"v{hours}")
            check = factories.finished(factories.queued(owner))
            services.report_check(check, owner, "other")
            ReviewItem.objects.filter(pk=check.pk).update(flagged=now - timedelta(hours=hours))
        ages = figures.context()["ages"]
        assert [count for _words, count in ages.bins] == [1, 1, 1, 1, 1]
        assert now - ages.oldest == timedelta(hours=1000)
        assert now - ages.median == timedelta(hours=30)

    def test_the_page_and_its_queries(
        self, rita: User, adam: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        reviewer, administrator = Client(), Client()
        reviewer.force_login(rita)
        administrator.force_login(adam)
        address = reverse("detection:desk_figures")

        def queries() -> int:
            with django_assert_max_num_queries(30) as captured:
                assert reviewer.get(address).status_code == 200
            return len(captured)

        reviewer.get(address)
        judged(rita, Verdict.AUTHENTIC)
        few = queries()
        for _number in range(4):
            judged(rita, Verdict.AUTHENTIC)
        assert queries() == few
        assert "Labelled crops" not in reviewer.get(address).content.decode()
        html = administrator.get(address).content.decode()
        assert "5 judged pictures may be used" in html
        assert "Real ones called manipulated" in html

    @pytest.mark.parametrize(("same", "of", "low", "high"), [(0, 10, 0, 28), (10, 10, 72, 100), (5, 10, 24, 76)])
    def test_wilsons_interval(self, same: int, of: int, low: int, high: int) -> None:
        """Against published values of the score interval."""
        assert figures.Agreement(same, of - same).interval == (low, high)


class TestExport:
    def read(self, data: bytes) -> tuple[list[dict[str, str]], zipfile.ZipFile]:
        archive = zipfile.ZipFile(io.BytesIO(data))
        return list(csv.DictReader(io.StringIO(archive.read("index.csv").decode()))), archive

    def written(self, user: User) -> tuple[list[dict[str, str]], zipfile.ZipFile]:
        with export.as_file(user, "Unmask") as file:
            return self.read(file.read())

    def test_what_is_in_it(self, rita: User, adam: User, astronaut_jpeg: bytes) -> None:
        face = replace(factories.FACE, box=(170, 70, 290, 220))
        check = judged(
            rita, Verdict.AUTHENTIC, data=astronaut_jpeg, faces=(face,), width=512, height=512, perceptual_hash="8" * 16
        )
        rows, archive = self.written(adam)
        (row,) = rows
        assert (row["label"], row["set"], row["group"]) == ("real", "desk", "8" * 16)
        assert (row["machine_level"], float(row["machine_probability"])) == ("likely_manipulated", 0.91)
        assert row["delete_after"] == check.purge_after.isoformat()
        with Image.open(io.BytesIO(archive.read(row["path"]))) as crop, Image.open(io.BytesIO(astronaut_jpeg)) as whole:
            assert crop.format == "PNG"
            assert crop.size == (290 + 150 - (170 - 150), 220 + 150), "a face and its own size around it"
            left, top = 170 - int(row["face_x0"]), 70 - int(row["face_y0"])
            same = whole.convert("RGB").crop((left, top, left + crop.width, top + crop.height))
            assert crop.tobytes() == same.tobytes(), "the very pixels"
        readme = archive.read("README.txt").decode()
        assert "delete_after" in readme
        assert "visitor" not in readme + str(rows), "nothing of the owner"
        entry = JudgementEntry.objects.get(event="exported")
        assert (entry.actor, entry.facts) == (adam.pk, {"crops": 1, "left_out": {}})

    def test_what_must_not_be_in_it(self, rita: User, adam: User) -> None:
        kept = judged(rita, Verdict.MANIPULATED, "kept.jpg")
        unsure = judged(rita, Verdict.UNSURE)
        withdrawn = judged(rita, Verdict.AUTHENTIC)
        services.allow_training(withdrawn, False)
        past = judged(rita, Verdict.AUTHENTIC)
        Check.objects.filter(pk=past.pk).update(purge_after=timezone.now() - timedelta(seconds=1))
        harmful = judged(rita, Verdict.AUTHENTIC)
        services.report_check(harmful, factories.requester(session_key="other"), "minor")
        claims.claim(harmful.pk, rita)
        judgements.judge(harmful.pk, rita, Verdict.AUTHENTIC, reports="upheld")
        again = judged(rita, Verdict.AUTHENTIC)
        services.report_check(again, factories.requester(session_key="other"), "wrong_verdict")
        several = judged(rita, Verdict.MANIPULATED, faces=(factories.FACE, factories.OTHER_FACE))
        nobody = judged(rita, Verdict.AUTHENTIC, faces=())
        assert {item.pk for item in export.allowed()} == {kept.pk, several.pk, nobody.pk}
        assert unsure.pk not in {item.pk for item in export.allowed()}
        rows, _archive = self.written(adam)
        assert [row["label"] for row in rows] == ["swap"]
        assert JudgementEntry.objects.get(event="exported").facts["left_out"] == {
            "without a face": 1,
            "manipulated, with several faces: the verdict does not say which": 1,
        }

    def test_the_command_that_measures_on_it_reads_it(self, rita: User, adam: User, astronaut_jpeg: bytes) -> None:
        from ml.evaluate.desk import read_index

        face = replace(factories.FACE, box=(170, 70, 290, 220))
        judged(rita, Verdict.MANIPULATED, data=astronaut_jpeg, faces=(face,), width=512, height=512)
        _rows, archive = self.written(adam)
        (row,), past = read_index(archive, timezone.now())
        assert (row.label, row.machine_level, past) == ("swap", "likely_manipulated", 0)
        assert row.box == (150, 70, 270, 220)

    def test_every_face_of_an_authentic_picture(self, rita: User, adam: User) -> None:
        judged(rita, Verdict.AUTHENTIC, faces=(factories.FACE, factories.OTHER_FACE))
        rows, archive = self.written(adam)
        assert [row["path"] for row in rows] == ["crops/00001.png", "crops/00002.png"]
        assert {"index.csv", "README.txt", "crops/00001.png", "crops/00002.png"} == set(archive.namelist())

    def test_the_button_is_for_administrators(self, rita: User, adam: User) -> None:
        judged(rita, Verdict.AUTHENTIC)
        client = Client()
        client.force_login(rita)
        assert client.post(reverse("detection:desk_export")).status_code == 403
        client.force_login(adam)
        assert client.get(reverse("detection:desk_export")).status_code == 405
        answer = client.post(reverse("detection:desk_export"))
        assert answer["Content-Disposition"].startswith('attachment; filename="unmask-desk-')
        assert "no-store" in answer["Cache-Control"]
        rows, _archive = self.read(b"".join(answer.streaming_content))
        assert len(rows) == 1

    def test_the_command(self, rita: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        judged(rita, Verdict.AUTHENTIC)
        path = tmp_path / "desk.zip"
        call_command("export_desk", str(path))
        assert "1 crops" in capsys.readouterr().out
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        rows, _archive = self.read(path.read_bytes())
        assert len(rows) == 1
        with pytest.raises(CommandError, match="could not be written"):
            call_command("export_desk", str(path))

    def test_a_turned_picture_is_cut_upright(self, rita: User, adam: User) -> None:
        turned = Image.new("RGB", (64, 96), "white")
        turned.paste("red", (0, 0, 64, 32))
        exif = turned.getexif()
        exif[0x0112] = 6  # to be shown turned by a quarter to the right
        buffer = io.BytesIO()
        turned.save(buffer, "PNG", exif=exif)
        face = replace(factories.FACE, box=(80, 20, 90, 30))
        judged(rita, Verdict.AUTHENTIC, "turned.png", buffer.getvalue(), faces=(face,), width=96, height=64)
        rows, archive = self.written(adam)
        with Image.open(io.BytesIO(archive.read(rows[0]["path"]))) as crop:
            assert crop.getpixel((crop.width - 1, crop.height // 2)) == (255, 0, 0)
