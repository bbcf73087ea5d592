"""What is taken in, what is refused and why, and what is left afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from enhancement import catalogue, services, wishes
from enhancement.kinds import kind_for
from enhancement.models import EnhancedPicture, Enhancement, Parent
from enhancement.refusals import Gone, NotSignedIn, WrongWish
from enhancement.wishes import Wish
from generation import ledger, withdrawal
from generation.blocks import BlockedPicture
from generation.refusals import Refused
from jobs import books, lifecycle, outputs
from jobs.errors import IntakeError, QuotaExceeded
from jobs.models import Artifact, Job, MadeOutput
from jobs.sealed import Unsealed
from jobs.states import JobState
from ml.provenance.plan import Work
from tests.detection import factories as checks
from tests.detection.factories import jpeg, requester, upload
from tests.enhancement import factories

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


class TestWishes:
    def test_without_a_method_the_default_is_taken(self) -> None:
        assert wishes.checked(Wish("upscale")) == Wish("upscale", ("compact",), 2)
        assert wishes.checked(Wish("denoise", ("restorer", "restorer"))).methods == ("restorer",)

    @pytest.mark.parametrize(
        ("wish", "code", "field"),
        [
            (Wish("colourise"), "unsupported_task", "task"),
            (Wish("upscale", ("restorer",)), "unsupported_method", "methods"),
            (Wish("upscale", ("imported:nothing.pth",)), "unsupported_method", "methods"),
            (Wish("upscale", ("compact",), 3), "unsupported_scale", "scale"),
            (Wish("upscale", ("bicubic",), 5), "unsupported_scale", "scale"),
            (Wish("denoise", (), None, 1.5), "wrong_strength", "strength"),
            (Wish("denoise", (), None, None, ".exe"), "unsupported_format", "file_format"),
        ],
    )
    def test_what_does_not_fit_is_said_beside_its_field(self, wish: Wish, code: str, field: str) -> None:
        with pytest.raises(WrongWish) as refused:
            wishes.checked(wish)
        assert (refused.value.code, refused.value.field) == (code, field)
        assert refused.value.message.endswith(".")

    def test_a_task_that_keeps_the_size_has_no_scale(self) -> None:
        assert wishes.checked(Wish("jpeg", (), 4)).scale is None

    def test_all_results_together_have_a_limit(self, settings: Any) -> None:
        settings.ENHANCEMENT_MEGAPIXELS = 8
        wish = wishes.checked(Wish("upscale", ("compact", "bicubic"), 2))
        wishes.check_size(wish, 1000, 1000)
        with pytest.raises(WrongWish, match="9 megapixels together") as refused:
            wishes.check_size(wish, 1001, 1000)
        assert refused.value.field == "scale"

    def test_networks_of_other_authors_are_offered_by_their_files(self, settings: Any) -> None:
        folder: Path = settings.ENHANCEMENT_NETWORKS_DIR
        folder.mkdir()
        (folder / "RRDB.pth").write_bytes(b"weights")
        (folder / "notes.txt").write_bytes(b"not a network")
        method = catalogue.methods("upscale")[-1]
        assert (method.name, method.generative) == ("imported:RRDB.pth", True)
        assert catalogue.find("denoise", "imported:RRDB.pth") is None
        assert wishes.checked(Wish("upscale", ("imported:RRDB.pth",))).scale is None
        for name in ("imported:../RRDB.pth", "imported:notes.txt", "imported:/etc/passwd"):
            with pytest.raises(WrongWish):
                wishes.checked(Wish("upscale", (name,)))

    def test_a_file_s_name_says_what_an_imported_network_does(self, settings: Any) -> None:
        folder: Path = settings.ENHANCEMENT_NETWORKS_DIR
        folder.mkdir()
        for name in ("RRDB.rrdbnet.npz", "theirs.dfdnet.npz", "vox.fomm.npz", "faces.stylegan2.npz"):
            (folder / name).write_bytes(b"weights")
        assert [each.name for each in catalogue.methods("upscale") if each.is_imported] == ["imported:RRDB.rrdbnet.npz"]
        method = catalogue.methods("face")[-1]
        assert (method.name, method.generative) == ("imported:theirs.dfdnet.npz", True)
        wish = wishes.checked(Wish("face", ("dictionary", method.name)))
        assert wish.scale == 1, "faces are restored in a picture of its own size"
        wishes.check_size(wish, 6000, 5000)
        assert wishes.checked(Wish("face", (method.name,), 2)).scale == 2
        for wrong in (Wish("face", ("imported:RRDB.rrdbnet.npz",)), Wish("upscale", ("imported:theirs.dfdnet.npz",))):
            with pytest.raises(WrongWish):
                wishes.checked(wrong)

    def test_what_takes_too_long_is_refused_with_its_estimate(self, settings: Any, ada: User) -> None:
        settings.ENHANCEMENT_MINUTES = 2
        fast, slow = (wishes.checked(Wish("upscale", (name,), 4)) for name in ("compact", "esrgan"))
        wishes.check_time(fast, 4000, 3000)
        wishes.check_time(slow, 1000, 1000)
        with pytest.raises(WrongWish, match=r"about \d+ minutes here; at most 2") as refused:
            wishes.check_time(slow, 4000, 3000)
        assert (refused.value.code, refused.value.field) == ("too_long", "methods")
        wishes.check_time(wishes.checked(Wish("face")), 6000, 5000)  # restored where they lie, whatever the size
        settings.ENHANCEMENT_MINUTES = 0
        with pytest.raises(WrongWish, match="a faster method"):
            factories.queued(requester(ada))
        assert not Artifact.objects.exists()

    def test_the_catalogue_is_read_without_a_network(self) -> None:
        assert next(iter(catalogue.tasks())) == "upscale"
        assert catalogue.find("upscale", "compact") is not None


class TestSubmitting:
    def test_a_picture_is_queued_with_all_that_was_chosen(self, ada: User) -> None:
        wish = Wish("denoise", ("nlmeans", "restorer"), None, 0.25, ".png")
        made = factories.queued(requester(ada), wish, "night.jpg")
        assert (made.owner, made.title, made.task, made.strength_percent) == (ada, "night.jpg", "denoise", 25)
        assert made.methods == ["nlmeans", "restorer"]
        assert made.job.kind == "enhancement"
        assert made.source is not None
        assert made.source.job_id == made.job_id
        assert made.source.purge_after == made.job.purge_after

    @pytest.mark.parametrize("who", ["nobody", "visitor"])
    def test_members_only(self, who: str) -> None:
        with pytest.raises(NotSignedIn):
            factories.queued(requester(session_key="" if who == "nobody" else "a-session"))
        assert not Artifact.objects.exists()

    def test_the_gate_is_in_the_lifecycle(self) -> None:
        """Whoever calls it: page, API, or code that has forgotten the service."""
        with pytest.raises(NotSignedIn):
            lifecycle.submit("enhancement", requester(session_key="a-session"))
        assert not Job.objects.exists()

    def test_a_file_that_is_none_leaves_nothing(self, ada: User) -> None:
        with pytest.raises(IntakeError):
            factories.queued(requester(ada), data=b"not a picture")
        assert not Artifact.objects.exists()

    def test_a_bad_truth_is_said_beside_its_field_and_leaves_nothing(self, ada: User) -> None:
        with pytest.raises(WrongWish) as refused:
            services.submit_enhancement(
                requester(ada), upload(), factories.TWO_METHODS, upload("truth.jpg", b"not a picture")
            )
        assert refused.value.field == "truth"
        assert not Artifact.objects.exists()
        assert not Job.objects.exists()

    def test_too_large_a_result_is_refused_before_anything_is_queued(self, ada: User, settings: Any) -> None:
        settings.ENHANCEMENT_MEGAPIXELS = 0
        with pytest.raises(WrongWish, match="Choose a smaller scale"):
            factories.queued(requester(ada))
        assert not Artifact.objects.exists()

    def test_the_share_of_the_queue(self, ada: User, settings: Any) -> None:
        settings.JOBS_WAITING_MEMBER = 1
        factories.queued(requester(ada))
        with pytest.raises(QuotaExceeded):
            factories.queued(requester(ada))
        assert Artifact.objects.count() == 1

    def test_what_was_taken_down_is_refused(self, ada: User) -> None:
        first = factories.queued(requester(ada))
        assert first.source is not None
        BlockedPicture.block(sha256=first.source.sha256)
        with pytest.raises(Refused):
            factories.queued(requester(ada))
        assert Artifact.objects.count() == 1

    def test_without_books_nothing_is_taken_in(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(books, "_books", [])
        with pytest.raises(RuntimeError, match="ledger"):
            factories.queued(requester(ada))
        assert not Enhancement.objects.exists()


class TestLongWork:
    """Minutes of work go where nobody's check waits behind them."""

    @pytest.mark.parametrize(
        ("wish", "size", "kind"),
        [
            (Wish("upscale", ("compact", "bicubic"), 2), (640, 360), "enhancement"),
            (Wish("upscale", ("bicubic",), 2), (4000, 3000), "enhancement"),
            (Wish("denoise", ("restorer",)), (4000, 3000), "enhancement_long"),
            (Wish("upscale", ("imported:RRDB.pth",)), (640, 360), "enhancement_long"),
            (Wish("upscale", ("imported:RRDB.pth",)), (64, 64), "enhancement"),
        ],
    )
    def test_by_the_work_that_it_is(
        self, wish: Wish, size: tuple[int, int], kind: str, settings: Any, ada: User
    ) -> None:
        settings.ENHANCEMENT_NETWORKS_DIR.mkdir()
        (settings.ENHANCEMENT_NETWORKS_DIR / "RRDB.pth").write_bytes(b"weights")
        assert kind_for(wishes.checked(wish), *size) == kind

    def test_it_is_queued_and_published_the_same(self, ada: User) -> None:
        made = factories.queued(requester(ada), Wish("denoise", ("restorer",)), data=jpeg("teal", (3200, 2200)))
        assert made.job.kind == "enhancement_long"
        job = lifecycle.claim("tests", ["enhancement_long"])
        assert job is not None
        result = factories.answer(made, kind="enhancement_long")
        assert lifecycle.succeed(job.pk, job.attempt, result) == JobState.SUCCEEDED
        assert made.pictures.count() == 1


class TestAgain:
    def test_the_same_picture_with_other_settings(self, ada: User) -> None:
        first = factories.finished(factories.queued(requester(ada)))
        second = services.enhance_again(first, requester(ada), Wish("deblur", (), None, 0.5))
        assert first.source is not None
        assert second.source is not None
        assert second.source.pk != first.source.pk
        assert second.source.sha256 == first.source.sha256
        services.delete_enhancement(first)
        second.refresh_from_db()
        assert second.source is not None
        assert second.source.file.storage.exists(second.source.file.name)

    def test_a_truth_goes_along_where_the_size_stays(self, ada: User) -> None:
        first = services.submit_enhancement(
            requester(ada), upload(), factories.TWO_METHODS, upload("truth.jpg", jpeg("navy", (192, 128)))
        )
        same = services.enhance_again(first, requester(ada), Wish("upscale", ("lanczos",), 2))
        other = services.enhance_again(first, requester(ada), Wish("upscale", ("lanczos",), 4))
        assert same.truth is not None
        assert same.truth.sha256 == first.truth.sha256
        assert other.truth is None

    def test_not_somebody_elses_and_not_what_is_gone(self, ada: User, ben: User) -> None:
        first = factories.queued(requester(ada))
        with pytest.raises(NotSignedIn):
            services.enhance_again(first, requester(ben), factories.TWO_METHODS)
        Artifact.objects.filter(pk=first.source_id).delete()
        first.refresh_from_db()
        with pytest.raises(Gone):
            services.enhance_again(first, requester(ada), factories.TWO_METHODS)


class TestPublishing:
    def test_files_rows_registry_and_ledger(self, ada: User) -> None:
        made = factories.finished(factories.queued(requester(ada)))
        pictures = list(made.pictures.order_by("index"))
        assert [picture.method for picture in pictures] == ["compact", "bicubic"]
        assert (made.width, made.height, made.device) == (96, 64, "CPU (tests)")
        assert made.before_picture is not None
        assert made.poster is not None
        assert not made.generated
        assert all(picture.file.job_id == made.job_id for picture in pictures)
        line = ledger.LedgerEntry.objects.get(event="enhanced")
        assert line.job_ref == made.job_id
        assert line.facts["inputs"] == {"target": made.source.sha256}
        assert line.facts["actor"] == ledger.actor_of(ada)
        assert list(ledger.faults()) == []

    def test_a_photograph_made_better_is_known_by_its_bytes_alone(self, ada: User) -> None:
        """Or the photograph itself would be taken for something made here."""
        made = factories.finished(factories.queued(requester(ada)))
        rows = MadeOutput.objects.filter(job=made.job)
        assert {(row.mark, row.perceptual_hash) for row in rows} == {("", "")}
        assert outputs.find(perceptual_hash="00ff00ff00ff00ff") == []
        sha256 = made.pictures.first().file.sha256
        assert [match.by for match in outputs.find(sha256)] == ["bytes"]

    def test_what_was_made_of_something_made_here_names_it(self, ada: User) -> None:
        earlier = MadeOutput.objects.create(
            job_ref="11111111-1111-4111-8111-111111111111", kind="swap", sha256="f" * 64, mark="111111111111"
        )
        first = factories.queued(requester(ada))
        MadeOutput.objects.filter(pk=earlier.pk).update(sha256=first.source.sha256)
        made = factories.finished(first, factories.answer(first, Work.RESTORATION))
        (parent,) = made.parents.all()
        assert (str(parent.job_ref), parent.kind, parent.by) == (str(earlier.job_ref), "swap", "bytes")
        assert made.generated
        assert ledger.LedgerEntry.objects.get(event="enhanced").facts["parents"] == [str(earlier.job_ref)]
        assert {row.mark for row in MadeOutput.objects.filter(job=made.job)} == {outputs.mark_of(made.job_id)}

    def test_a_mark_or_a_likeness_is_enough(self, ada: User) -> None:
        outputs.record(
            Job.objects.create(kind="swap", seq=1),
            sha256="a" * 64,
            perceptual_hash="0f0f0f0f0f0f0f0f",
            mark="abcdef012345",
        )
        for told in ({"mark": "abcdef012345"}, {"perceptual_hash": "0f0f0f0f0f0f0f0e"}):
            first = factories.queued(requester(ada))
            made = factories.finished(first, factories.answer(first, Work.RESTORATION, **told))
            assert made.generated
            assert made.parents.count() == 1

    def test_an_enhanced_photograph_stays_a_photograph(self, ada: User) -> None:
        """Enhanced twice: the first result is a parent, and nothing of it was generated."""
        first = factories.finished(factories.queued(requester(ada)))
        second = factories.queued(requester(ada), data=jpeg("teal"))
        Artifact.objects.filter(pk=second.source_id).update(sha256=first.pictures.first().file.sha256)
        second.refresh_from_db()
        made = factories.finished(second)
        assert not made.generated
        assert [parent.job_ref for parent in made.parents.all()] == [first.job_id]


class TestNothingUnsealed:
    """The inference process is not believed: what it hands over is verified once more, or not kept."""

    def refused(self, made: Enhancement, **changes: Any) -> None:
        job = factories.claimed(made)
        before = Artifact.objects.count()
        with pytest.raises(Unsealed):
            lifecycle.succeed(job.pk, job.attempt, replace(factories.answer(made), **changes))
        assert Artifact.objects.count() == before
        assert not EnhancedPicture.objects.exists()
        assert not MadeOutput.objects.exists()
        assert not ledger.LedgerEntry.objects.exists()
        assert Job.objects.get(pk=made.job_id).state == JobState.RUNNING

    def with_picture(self, made: Enhancement, picture: Any) -> Any:
        first, *others = factories.answer(made).results
        return (replace(first, picture=picture), *others)

    def test_no_manifest(self, ada: User) -> None:
        made = factories.queued(requester(ada))
        bare = replace(factories.sealed(made), data=jpeg())
        self.refused(made, results=self.with_picture(made, bare))

    def test_another_jobs_manifest(self, ada: User) -> None:
        made = factories.queued(requester(ada))
        other = factories.sealed(made, job="11111111-1111-4111-8111-111111111111")
        self.refused(made, results=self.with_picture(made, other))

    def test_a_changed_pixel(self, ada: User) -> None:
        made = factories.queued(requester(ada))
        whole = factories.sealed(made)
        broken = whole.data[:-40] + bytes([whole.data[-40] ^ 1]) + whole.data[-39:]
        self.refused(made, results=self.with_picture(made, replace(whole, data=broken)))

    def test_a_false_name(self, ada: User) -> None:
        made = factories.queued(requester(ada))
        self.refused(made, results=self.with_picture(made, replace(factories.sealed(made), suffix=".html")))

    def test_other_methods_than_were_asked_for(self, ada: User) -> None:
        made = factories.queued(requester(ada))
        self.refused(made, results=factories.answer(made).results[:1])

    def test_something_generated_that_does_not_say_so(self, ada: User) -> None:
        made = factories.queued(requester(ada))
        self.refused(made, generated=True)

    def test_a_generative_method_that_does_not_say_so(self, ada: User, settings: Any) -> None:
        settings.ENHANCEMENT_NETWORKS_DIR.mkdir()
        (settings.ENHANCEMENT_NETWORKS_DIR / "net.pth").write_bytes(b"weights")
        made = factories.queued(requester(ada), Wish("upscale", ("imported:net.pth",)))
        self.refused(made)

    def test_a_picture_without_a_copy_of_its_manifest_in_the_list(self, ada: User) -> None:
        made = factories.queued(requester(ada))
        self.refused(made, poster=replace(factories.sealed(made), data=jpeg(), role="poster"))


class TestTakingAway:
    def test_deleted_with_files_and_job(self, ada: User) -> None:
        made = factories.finished(factories.queued(requester(ada)))
        services.delete_enhancement(made)
        assert not Enhancement.objects.exists()
        assert not EnhancedPicture.objects.exists()
        assert not Artifact.objects.exists()
        assert Job.objects.get().state == JobState.PURGED

    def test_deleted_while_it_runs(self, ada: User) -> None:
        made = factories.queued(requester(ada))
        job = factories.claimed(made)
        services.delete_enhancement(made)
        assert not Artifact.objects.exists()
        assert Job.objects.get(pk=job.pk).cancel_requested

    def test_purged_with_its_job(self, ada: User) -> None:
        made = factories.finished(factories.queued(requester(ada)))
        assert lifecycle.purge(made.job_id)
        assert not Enhancement.objects.exists()
        assert not Artifact.objects.exists()

    def test_taken_down_itself(self, ada: User) -> None:
        """Its files go, and the picture that it was made of is refused from then on, by bytes and by looks."""
        made = factories.finished(factories.queued(requester(ada)))
        sha256 = made.source.sha256
        assert withdrawal.take_down(made.job_id)
        made.refresh_from_db()
        assert made.withdrawn is not None
        assert (made.title, made.source, made.figures) == ("", None, {})
        assert not Artifact.objects.exists()
        assert BlockedPicture.objects.filter(sha256=sha256, perceptual_hash="00ff00ff00ff00ff").exists()
        with pytest.raises(Refused):
            factories.queued(requester(ada))

    def test_what_was_made_of_it_goes_too_and_so_on(self, ada: User, ben: User) -> None:
        first = factories.finished(factories.queued(requester(ada)))
        second = factories.finished(factories.queued(requester(ben), data=jpeg("teal")))
        third = factories.finished(factories.queued(requester(ada), data=jpeg("gold")))
        other = factories.finished(factories.queued(requester(ada), data=jpeg("navy")))
        for child, parent in ((second, first), (third, second)):
            Parent.objects.create(
                enhancement=child, job_ref=parent.job_id, kind="enhancement", by="mark", made=parent.created
            )
        withdrawal.take_down(first.job_id)
        for each in (second, third):
            each.refresh_from_db()
            assert each.withdrawn is not None
            assert not Artifact.objects.filter(job=each.job).exists()
        other.refresh_from_db()
        assert other.withdrawn is None
        assert MadeOutput.objects.filter(job=third.job, withdrawn=None).count() == 0

    def test_taken_down_while_it_is_being_made(self, ada: User) -> None:
        made = factories.queued(requester(ada))
        job, result = factories.claimed(made), factories.answer(made)
        services.take_back(made, block=False)
        assert lifecycle.succeed(job.pk, job.attempt, result) == JobState.CANCELLED
        assert not EnhancedPicture.objects.exists()


def test_what_the_child_is_told(ada: User, tmp_path: Path, settings: Any) -> None:
    from enhancement.kinds import prepare

    outputs.record(
        Job.objects.create(kind="swap", seq=1), sha256="a" * 64, perceptual_hash="0f0f0f0f0f0f0f0f", mark="abcdef012345"
    )
    BlockedPicture.block(perceptual_hash="00000000000000ff")
    made = services.submit_enhancement(
        requester(ada), upload(), Wish("upscale", ("bicubic",), 3, 0.5, ".png"), upload("t.jpg", jpeg("red"))
    )
    told = prepare(made.job, tmp_path)
    assert told.path.read_bytes() == jpeg()
    assert told.truth is not None
    assert told.truth.read_bytes() == jpeg("red")
    assert (told.task, told.methods, told.scale, told.strength, told.suffix) == (
        "upscale",
        ("bicubic",),
        3,
        0.5,
        ".png",
    )
    assert told.looks == bytes.fromhex("0f0f0f0f0f0f0f0f" + outputs.mirrored("0f0f0f0f0f0f0f0f"))
    assert told.blocked == ("00000000000000ff", outputs.mirrored("00000000000000ff"))
    assert not told.made_here
    assert told.mark == made.job_id.hex[:12]
    MadeOutput.objects.update(sha256=made.source.sha256)
    (tmp_path / "once more").mkdir()
    assert prepare(made.job, tmp_path / "once more").made_here


def test_figures_are_kept_as_json(ada: User) -> None:
    made = factories.finished(factories.queued(requester(ada)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT figures FROM enhancement_enhancedpicture LIMIT 1")
        (written,) = cursor.fetchone()
    told = json.loads(written) if isinstance(written, str) else written
    assert told["measures"]["psnr"] == 31.25
    assert told["detector"]["probability"] == 0.06
    assert made.figures["detector"]["level"] == "inconclusive"


def test_the_check_page_does_not_call_it_generated(ada: User) -> None:
    made = factories.finished(factories.queued(requester(ada)))
    file = made.pictures.first().file
    check = checks.finished(checks.queued(requester(ada), "again.jpg", factories.content(file)))
    (own,) = check.provenance["own"]
    assert (own["by"], own["generated"], own["job"]) == ("bytes", False, str(made.job_id))
    assert "not one that was generated" in own["words"]
