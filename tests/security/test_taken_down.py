"""Ways round a takedown and a withdrawn consent: in time, in a mirror, by what was learned, by what was made of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from PIL import Image

from enhancement import services as enhancing
from generation import admission, learned, ledger, publishing, services, showing, withdrawal
from generation.blocks import BlockedPicture
from generation.exchange import GenerationResult
from generation.handlers import safeguarding, swapping
from generation.models import Generation, GenerationInput
from generation.refusals import Reason, Refused
from generation.services import Part
from jobs import kinds, lifecycle, outputs
from jobs.errors import PersonError
from jobs.models import Artifact, Job, MadeOutput
from ml.provenance.perceptual_hash import perceptual_hash
from ml.provenance.plan import Work
from ml.provenance.sealing import Still
from tests.detection import factories
from tests.enhancement import factories as enhanced
from tests.generation import making as do
from tests.generation import rows
from tests.generation.conftest import ada, ben, house

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from numpy.typing import NDArray

    from generation.consents import Consent

__all__ = ["ada", "ben", "house"]
pytestmark = pytest.mark.django_db


def drawn(seed: int) -> NDArray[np.uint8]:
    """A picture of nobody, unlike any other: soft patches, as photographs have them."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((192, 144), Image.Resampling.BICUBIC), np.uint8)


def saved(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def answer(job: Job, workdir: Path) -> GenerationResult:
    """What a handler hands back that found nobody in the picture: sealed, with the picture's looks."""
    workdir.mkdir()
    request = kinds.get(job.kind).prepare(job, workdir)
    pixels = safeguarding.opened(request, "target")
    output = safeguarding.sealed(request, Work.SWAP, Still(pixels))
    return GenerationResult((output,), seen={"target": safeguarding.check_looks(request, pixels)})


def made(user: User, data: bytes, workdir: Path) -> Generation:
    generation = do.submitted(user, data)
    job = do.claimed(generation)
    lifecycle.succeed(job.pk, job.attempt, answer(job, workdir))
    generation.refresh_from_db()
    return generation


# --- In time ----------------------------------------------------------------------------------------------------------
def test_taken_down_in_other_bytes_while_the_work_goes_on(ada: User, ben: User, tmp_path: Path) -> None:
    """The inference process was told of the list when the work began; publishing asks once more."""
    theirs = made(ada, saved(drawn(1)), tmp_path / "theirs")
    job = do.claimed(do.submitted(ben, saved(drawn(1), 60)))
    result = answer(job, tmp_path / "work")
    assert services.take_down(theirs.job_id)
    with pytest.raises(Refused) as refused:
        lifecycle.succeed(job.pk, job.attempt, result)
    assert refused.value.reason is Reason.BLOCKED_PICTURE
    assert not MadeOutput.objects.filter(job_ref=job.pk).exists()


def test_what_is_published_at_that_very_moment_is_on_the_list_too(
    ada: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    generation = do.submitted(ada, saved(drawn(2)))
    job = do.claimed(generation)
    result = answer(job, tmp_path / "work")
    ended = lifecycle.cancel

    def first_published(job_id: Any) -> Any:
        Generation.objects.filter(pk=generation.pk).update(withdrawn=None)  # as the other transaction sees it
        publishing.publish(job, result)  # and ends a moment before the job's row can be had
        return ended(job_id)

    monkeypatch.setattr(withdrawal.lifecycle, "cancel", first_published)
    assert services.take_down(job.pk)
    (row,) = MadeOutput.objects.filter(job_ref=job.pk)
    assert BlockedPicture.objects.filter(sha256=row.sha256).exists()
    assert row.withdrawn is not None
    assert not Artifact.objects.filter(job=job).exists()


def test_a_consent_withdrawn_while_an_enhancement_of_it_goes_on(ada: User, ben: User, tmp_path: Path) -> None:
    work = made(ada, saved(drawn(3)), tmp_path / "work")
    data = factories.content(work.result)
    waiting = enhanced.queued(do.requester(ben), data=data)
    job = enhanced.claimed(waiting)
    result = enhanced.answer(waiting, Work.RESTORATION)
    services.revoke_consent(work.consent)
    with pytest.raises(PersonError) as refused:
        lifecycle.succeed(job.pk, job.attempt, result)
    assert refused.value.code == "gone"
    lifecycle.fail(job.pk, job.attempt, "gone", "gone")
    again = enhanced.queued(do.requester(ben), data=data)  # whoever kept the file brings it once more
    job = enhanced.claimed(again)
    with pytest.raises(PersonError):
        lifecycle.succeed(job.pk, job.attempt, enhanced.answer(again, Work.RESTORATION))
    assert not MadeOutput.objects.filter(kind="enhancement").exists()


@pytest.mark.parametrize("how", ["tidied up", "looks alike"])
def test_what_an_enhancement_is_not_refused_for(how: str, ada: User, ben: User, tmp_path: Path) -> None:
    """Its owner merely deleted it; or a photograph looks like what was once made of it."""
    work = made(ada, saved(drawn(4)), tmp_path / "work")
    data, look = factories.content(work.result), MadeOutput.objects.get().perceptual_hash
    if how == "tidied up":
        services.delete_own(work)
        kept = enhanced.queued(do.requester(ada), data=data)
    else:
        services.revoke_consent(work.consent)
        kept = enhanced.queued(do.requester(ada), data=saved(drawn(4)))
    enhanced.finished(kept, enhanced.answer(kept, Work.RESTORATION, perceptual_hash=look))
    assert kept.job.state == "succeeded"


# --- In a mirror ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(4))
def test_a_mirrored_copy_is_refused(seed: int, ada: User, ben: User, tmp_path: Path) -> None:
    theirs = made(ada, saved(drawn(seed)), tmp_path / "theirs")
    assert services.take_down(theirs.job_id)
    job = do.claimed(do.submitted(ben, saved(drawn(seed)[:, ::-1], 60)))
    with pytest.raises(PersonError) as refused:
        answer(job, tmp_path / "work")
    assert refused.value.code == Reason.BLOCKED_PICTURE
    from enhancement.kinds import prepare

    kept = enhancing.submit_enhancement(
        do.requester(ben), SimpleUploadedFile("a.jpg", saved(drawn(seed)[:, ::-1], 70)), enhanced.TWO_METHODS
    )
    (tmp_path / "enhance").mkdir()
    request = prepare(kept.job, tmp_path / "enhance")
    from enhancement.handlers.enhancing import blocked

    with pytest.raises(PersonError):
        blocked(request, perceptual_hash(drawn(seed)[:, ::-1]))
    blocked(request, perceptual_hash(drawn(seed + 100)))


# --- By what was learned ----------------------------------------------------------------------------------------------
def taught(user: User, sha256: str = "", look: str = "") -> tuple[Generation, Artifact, Consent]:
    """A finished piece of work that has left weights of the person in its source."""
    (generation,) = rows.finished(user, 1)
    GenerationInput.objects.create(
        generation=generation,
        role="source",
        sha256=sha256 or "a" * 64,
        perceptual_hash=look,
        consent=generation.consent,
    )
    weights = Artifact.store(
        role=Artifact.LEARNED, data=b"PK\x03\x04", content_type="application/zip", suffix=".zip", job=generation.job
    )
    return generation, weights, generation.consent


@pytest.mark.parametrize("by", ["bytes", "looks"])
def test_who_was_learned_from_what_was_taken_down_is_not_painted_again(by: str, ada: User) -> None:
    sum_of_it, look = "b" * 64, perceptual_hash(drawn(5))
    generation, _weights, _consent = taught(ada, sum_of_it, look)
    identity = f"{learned.PREFIX}{generation.pk}"
    assert [face.identity for face in learned.of(ada)] == [identity]
    target = do.uploaded(ada, saved(drawn(6)))
    parts = (Part("target", target, do.consented(ada, target)), Part("source", identity=identity))
    wish = services.Wish("swap", parts, affirmed=True)
    running = services.submit_generation(do.requester(ada), wish).job
    BlockedPicture.block(sha256=sum_of_it if by == "bytes" else "", perceptual_hash="" if by == "bytes" else look)
    assert learned.of(ada) == []
    with pytest.raises(Refused) as refused, transaction.atomic():
        admission.still_allowed(running)
    assert refused.value.reason is Reason.BLOCKED_PICTURE
    lifecycle.cancel(running.pk)
    target = do.uploaded(ada, saved(drawn(7)))
    parts = (Part("target", target, do.consented(ada, target)), Part("source", identity=identity))
    with pytest.raises(Refused) as refused:
        services.submit_generation(do.requester(ada), services.Wish("swap", parts, affirmed=True))
    assert refused.value.reason is Reason.BLOCKED_PICTURE


def test_who_was_learned_is_looked_at_again(ada: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may have asked since never to be swapped; the picture that they were learned from is still there to tell."""
    generation, _weights, _consent = taught(ada)
    source = do.uploaded(ada, saved(drawn(11)))
    Artifact.objects.filter(pk=source.pk).update(job=generation.job)
    generation.inputs.update(artifact=source)
    target = do.uploaded(ada, saved(drawn(12)))
    identity = f"{learned.PREFIX}{generation.pk}"
    parts = (Part("target", target, do.consented(ada, target)), Part("source", identity=identity))
    services.submit_generation(do.requester(ada), services.Wish("swap", parts, affirmed=True))
    job = lifecycle.claim("tests", ["swap"])
    assert job is not None
    request = kinds.get("swap").prepare(job, tmp_path)
    assert request.taught_from["source"].read_bytes() == saved(drawn(11))
    assert "source" not in request.files  # it is no ingredient of what is made

    def looked_at(seen: Any, role: str) -> Any:
        assert (role, list(seen.files)) == ("source", ["source"])
        raise Refused(Reason.BLOCKED_FACE)

    monkeypatch.setattr(swapping, "looked_at", looked_at)
    with pytest.raises(Refused):
        swapping.swap(request, lambda *_: None)


def test_a_takedown_deletes_the_weights_of_whoever_it_shows(ada: User, ben: User, tmp_path: Path) -> None:
    picture = saved(drawn(8))
    theirs = made(ada, picture, tmp_path / "theirs")
    _piece, weights, _consent = taught(ben, theirs.inputs.get().sha256)
    _other, others, _consent = taught(ben, "c" * 64)
    assert services.take_down(theirs.job_id)
    assert not Artifact.objects.filter(pk=weights.pk).exists()
    assert Artifact.objects.filter(pk=others.pk).exists()


# --- By what was made of it -------------------------------------------------------------------------------------------
def test_what_others_made_of_it_goes_even_where_its_source_is_gone(ada: User, ben: User, tmp_path: Path) -> None:
    theirs = made(ada, saved(drawn(9)), tmp_path / "theirs")
    derived = made(ben, factories.content(theirs.result), tmp_path / "derived")
    third = made(ada, factories.content(derived.result), tmp_path / "third")
    showing.want_public(derived)
    assert showing.approve(derived, factories.administrator())
    Artifact.objects.filter(job=derived.job, role=Artifact.ORIGINAL).delete()  # past its time; what is public stays
    bens = Generation.objects.filter(pk=derived.pk)
    assert services.take_down(theirs.job_id)
    assert bens.get().withdrawn_for == "takedown"
    assert not Generation.objects.public().exists()
    third.refresh_from_db()
    assert third.withdrawn is not None
    assert not Artifact.objects.filter(job__in=[theirs.job_id, derived.job_id, third.job_id]).exists()
    assert not MadeOutput.objects.filter(withdrawn=None).exists()
    gone = [line.job_ref for line in ledger.LedgerEntry.objects.filter(event="withdrawn")]
    assert set(gone) == {theirs.job_id, derived.job_id, third.job_id}
    assert list(ledger.faults()) == []
    for row in MadeOutput.objects.all():
        with pytest.raises(Refused):
            admission.check_picture(row.sha256)


def test_the_looks_of_a_mirrored_picture_are_those_of_the_hash() -> None:
    for seed in range(20):
        mirrored = perceptual_hash(np.ascontiguousarray(drawn(seed)[:, ::-1]))
        plain = perceptual_hash(drawn(seed))
        assert outputs.distance(outputs.mirrored(plain), mirrored) <= outputs.LOOK_ALIKE
        assert outputs.mirrored(outputs.mirrored(plain)) == plain
