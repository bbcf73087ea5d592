"""Ways round consent, terms, quota and the gate: by page, by API, by command, by the services, and below them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from generation import admission, making, publishing, services, texts
from generation.consents import Consent, TermsAcceptance
from generation.exchange import GenerationResult, SealedOutput
from generation.models import Generation, GenerationInput
from generation.refusals import SENTENCES, Reason, Refused
from jobs import kinds, lifecycle
from jobs.models import Artifact, Job, MadeOutput
from jobs.requester import NOBODY
from tests.detection import factories
from tests.generation import making as do
from tests.generation.conftest import ada, ada_client, ben, house, maker
from tests.generation.mirror import NAME

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

__all__ = ["ada", "ada_client", "ben", "house"]
pytestmark = pytest.mark.django_db


def reason(refused: pytest.ExceptionInfo[Refused]) -> Reason:
    assert refused.value.message == SENTENCES[refused.value.reason]
    return refused.value.reason


def params(artifact: Artifact | None = None, consent: Consent | None = None, **changes: Any) -> dict[str, Any]:
    told = {"role": "target", "artifact": str(artifact.pk) if artifact else None}
    told["consent"] = str(consent.pk) if consent else None
    return {"inputs": [told], "affirmed": True, **changes}


def nothing_queued() -> bool:
    return not Job.objects.filter(kind=NAME).exists() and not Generation.objects.exists()


def test_every_reason_has_its_sentence_and_status() -> None:
    assert set(SENTENCES) == set(Reason)
    assert all(400 <= Refused(each).status < 500 for each in Reason)


# --- Round the service, straight at the job lifecycle -----------------------------------------------------------------
def test_without_consent_the_lifecycle_itself_makes_no_job(ada: User, ben: User, astronaut_jpeg: bytes) -> None:
    artifact, other = do.uploaded(ada, astronaut_jpeg), do.uploaded(ada, factories.jpeg())
    consent = do.consented(ada, artifact)
    elsewhere = do.consented(ben, do.uploaded(ben, astronaut_jpeg))
    revoked = do.consented(ada, artifact)
    services.revoke_consent(revoked)
    requester = do.requester(ada)
    attempts: list[tuple[dict[str, Any], list[Artifact], Reason]] = [
        ({}, [artifact], Reason.NOT_AFFIRMED),
        ({"affirmed": True}, [artifact], Reason.NO_CONSENT),
        (params(artifact), [artifact], Reason.NO_CONSENT),
        (params(artifact, consent, affirmed="yes"), [artifact], Reason.NOT_AFFIRMED),
        (params(artifact, consent, affirmed=1), [artifact], Reason.NOT_AFFIRMED),
        (params(artifact, elsewhere), [artifact], Reason.CONSENT_OF_ANOTHER),
        (params(other, consent), [other], Reason.CONSENT_FOR_ANOTHER_FACE),
        (params(artifact, revoked), [artifact], Reason.CONSENT_WITHDRAWN),
        (params(None, consent), [], Reason.NO_CONSENT),
        (params(artifact, consent), [], Reason.NO_CONSENT),  # not handed over: the job has no such file
        (params(artifact, consent), [artifact, other], Reason.NO_CONSENT),  # one that nobody spoke of
        ({"inputs": "target", "affirmed": True}, [artifact], Reason.NO_CONSENT),
        ({"inputs": [7], "affirmed": True}, [artifact], Reason.NO_CONSENT),
        ({"inputs": [{"role": "target", "consent": "1' OR 1=1"}], "affirmed": True}, [artifact], Reason.NO_CONSENT),
        ({"inputs": [{"role": "target", "identity": "no-such"}], "affirmed": True}, [], Reason.UNKNOWN_IDENTITY),
        ({"inputs": [{"role": "target", "identity": "nobody-1"}], "affirmed": True}, [artifact], Reason.NO_CONSENT),
        ({"inputs": [*params(artifact, consent)["inputs"] * 2], "affirmed": True}, [artifact], Reason.NO_CONSENT),
    ]
    for told, files, expected in attempts:
        with pytest.raises(Refused) as refused, transaction.atomic():
            lifecycle.submit(NAME, requester, files, told)
        assert reason(refused) is expected, told
        assert nothing_queued()
    assert lifecycle.submit(NAME, requester, [artifact], params(artifact, consent)).state == "queued"


def test_a_consent_lent_to_another_account_is_refused(ada: User, ben: User, astronaut_jpeg: bytes) -> None:
    mine = do.consented(ada, do.uploaded(ada, astronaut_jpeg))
    same_picture = do.uploaded(ben, astronaut_jpeg)
    with pytest.raises(Refused) as refused:
        services.submit_generation(do.requester(ben), do.wish(same_picture, mine))
    assert reason(refused) is Reason.CONSENT_OF_ANOTHER
    with pytest.raises(Refused):  # nor is a consent stated for somebody else's upload
        do.consented(ben, do.uploaded(ada, factories.jpeg()))


@pytest.mark.parametrize("who", ["visitor", "nobody", "inactive", "not permitted", "terms not accepted", "old terms"])
def test_who_may_not_make_anything(who: str, ada: User, astronaut_jpeg: bytes) -> None:
    artifact = do.uploaded(ada, astronaut_jpeg)
    consent = do.consented(ada, artifact)
    requester = do.requester(ada)
    expected = Reason.NOT_SIGNED_IN
    if who == "visitor":
        requester = factories.requester(session_key="visitor-1")
    elif who == "nobody":
        requester = NOBODY
    elif who == "inactive":
        ada.is_active = False
        ada.save()
    elif who == "not permitted":
        ada.groups.clear()
        ada = type(ada).objects.get(pk=ada.pk)  # permissions are remembered by the object
        requester, expected = do.requester(ada), Reason.NO_PERMISSION
    else:
        expected = Reason.TERMS
        if who == "old terms":
            TermsAcceptance.objects.update(sha256="0" * 64)  # the text was edited since
        else:
            TermsAcceptance.objects.all().delete()
    with pytest.raises(Refused) as refused:
        services.submit_generation(requester, do.wish(artifact, consent))
    assert reason(refused) is expected
    if requester.owner_key:
        with pytest.raises(Refused), transaction.atomic():
            lifecycle.submit(NAME, requester, [artifact], params(artifact, consent))
    assert nothing_queued()


def test_the_daily_quota_counts_deleted_work_too(ada: User, settings: Any) -> None:
    settings.GENERATION_DAILY_QUOTA = 2
    for colour in ("red", "green"):
        services.delete_own(do.submitted(ada, factories.jpeg(colour)))
    with pytest.raises(Refused) as refused:
        services.accept_file(do.requester(ada), factories.upload(), NAME)
    assert reason(refused) is Reason.DAILY_QUOTA
    settings.GENERATION_DAILY_QUOTA = 3
    do.submitted(ada, factories.jpeg("blue"))


# --- Below the lifecycle: rows written by hand ------------------------------------------------------------------------
def test_a_job_row_written_by_hand_is_refused_before_any_work(ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    job = Job.objects.create(kind=NAME, owner=ada, owner_key=f"user:{ada.pk}", params=params())
    claimed = lifecycle.claim("tests", [NAME])
    assert claimed is not None
    assert claimed.pk == job.pk
    with pytest.raises(Refused) as refused:
        kinds.get(NAME).prepare(claimed, tmp_path)
    assert reason(refused) is Reason.NOT_ADMITTED
    with pytest.raises(Refused) as refused:
        lifecycle.succeed(claimed.pk, claimed.attempt, GenerationResult(()))
    assert reason(refused) is Reason.NOT_ADMITTED


def test_the_site_itself_cannot_queue_one(tmp_path: Path) -> None:
    job = lifecycle.submit_system(NAME)
    assert job is not None
    with pytest.raises(Refused):
        kinds.get(NAME).prepare(job, tmp_path)


def test_the_database_refuses_rows_without_consent(ada: User, astronaut_jpeg: bytes) -> None:
    artifact = do.uploaded(ada, astronaut_jpeg)
    consent = do.consented(ada, artifact)
    job = Job.objects.create(kind=NAME, owner=ada, owner_key=f"user:{ada.pk}")
    whole: dict[str, Any] = {"job": job, "kind": NAME, "owner": ada, "affirmed": True, "consent": consent}
    whole["terms"] = TermsAcceptance.of(ada)
    for without in ({"consent": None}, {"terms": None}, {"owner": None}, {"affirmed": False}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Generation.objects.create(**{**whole, **without})
    generation = Generation.objects.create(**whole)
    with pytest.raises(IntegrityError), transaction.atomic():
        GenerationInput.objects.create(generation=generation, role="target", artifact=artifact, sha256=artifact.sha256)
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(owner=ada, relation="myself", version="1", text="I do")  # for whom?
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(owner=ada, relation="somebody", version="1", text="I do", sha256="0" * 64)
    from django.db.models import RestrictedError

    with pytest.raises(RestrictedError):
        consent.delete()  # what was made with it still answers for it


def test_a_consent_is_not_rewritten(ada: User, astronaut_jpeg: bytes) -> None:
    consent = do.consented(ada, do.uploaded(ada, astronaut_jpeg))
    assert consent.text == texts.consent("myself").body
    consent.sha256 = "0" * 64
    with pytest.raises(TypeError):
        consent.save()
    with pytest.raises(TypeError):
        consent.save(update_fields=["sha256"])


def test_another_file_put_in_the_place_of_the_consented_one_is_noticed(
    ada: User, astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    generation = do.submitted(ada, astronaut_jpeg)
    other = do.uploaded(ada, factories.jpeg())
    GenerationInput.objects.update(artifact=other)
    with pytest.raises(Refused) as refused:
        kinds.get(NAME).prepare(do.claimed(generation), tmp_path)
    assert reason(refused) is Reason.CONSENT_FOR_ANOTHER_FACE


# --- Statements -------------------------------------------------------------------------------------------------------
def test_words_that_were_not_shown_are_not_agreed_to(ada: User, astronaut_jpeg: bytes) -> None:
    artifact = do.uploaded(ada, astronaut_jpeg)
    requester = do.requester(ada)
    for relation, version in (("myself", "0"), ("myself", ""), ("../terms/1", "1"), ("nobody", "1")):
        with pytest.raises(Refused):
            services.state_consent(requester, relation, version=version, artifact=artifact)
    with pytest.raises(Refused):
        services.state_consent(requester, "myself", version="1", artifact=artifact, people=0)
    with pytest.raises(Refused):
        services.accept_terms(ada, "999")
    with pytest.raises(Refused):  # a built-in person is nobody's own face
        services.state_consent(requester, "myself", version="1", identity="nobody-1")
    assert not Consent.objects.exists()


def test_clips_come_in_only_where_they_are_wanted(ada: User) -> None:
    from jobs.errors import IntakeError

    requester, name = do.requester(ada), "clip.mp4"
    playlist = b"ffconcat version 1.0\nfile '/etc/passwd'\n"
    for data, clips in ((playlist, True), (playlist, False), (b"\0\0\0\x20ftypisom" + bytes(64), False)):
        with pytest.raises(IntakeError):
            services.accept_file(requester, factories.upload(name, data), NAME, clips=clips)
    assert not Artifact.objects.exists()


# --- Publishing -------------------------------------------------------------------------------------------------------
def test_nothing_unsealed_is_published(ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    generation = do.submitted(ada, astronaut_jpeg)
    job = do.claimed(generation)
    honest = do.run(job, tmp_path / "work")
    (output,) = honest.outputs
    flipped = bytearray(output.data)
    flipped[len(flipped) // 2] ^= 1

    def instead(**changes: Any) -> GenerationResult:
        fields = {name: getattr(output, name) for name in SealedOutput.__slots__}
        return GenerationResult((SealedOutput(**{**fields, **changes}),))

    attempts: list[Any] = [
        None,
        astronaut_jpeg,
        GenerationResult(()),
        GenerationResult((astronaut_jpeg,)),  # type: ignore[arg-type]
        instead(data=astronaut_jpeg),
        instead(data=bytes(flipped)),
        instead(data=output.data[:-1] + b"\0"),
        instead(content_type="image/svg+xml", suffix=".svg"),
        instead(suffix=".html"),
        instead(content_type="image/png", suffix=".png"),
    ]
    for attempt in attempts:
        with pytest.raises(publishing.Unsealed):
            lifecycle.succeed(job.pk, job.attempt, attempt)
        assert Artifact.objects.filter(job=job).exclude(role="original").count() == 0
        assert not MadeOutput.objects.exists()
    lifecycle.succeed(job.pk, job.attempt, honest)
    assert MadeOutput.objects.get().job_id == job.pk


def test_a_seal_of_another_job_or_another_authority_does_not_do(
    ada: User, astronaut_jpeg: bytes, tmp_path: Path, settings: Any
) -> None:
    first = do.submitted(ada, astronaut_jpeg)
    job = do.claimed(first)
    theirs = do.run(job, tmp_path / "work")
    lifecycle.succeed(job.pk, job.attempt, theirs)
    second = do.submitted(ada, astronaut_jpeg)
    other = do.claimed(second)
    with pytest.raises(publishing.Unsealed):
        lifecycle.succeed(other.pk, other.attempt, theirs)
    settings.GENERATION_AUTHORITY_DIR = tmp_path / "impostor"
    forged = do.run(other, tmp_path / "work2")
    settings.GENERATION_AUTHORITY_DIR = tmp_path / "authority"
    with pytest.raises(publishing.Unsealed):
        lifecycle.succeed(other.pk, other.attempt, forged)
    assert MadeOutput.objects.count() == 1


def test_a_consent_withdrawn_while_it_runs_publishes_nothing(ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    generation = do.submitted(ada, astronaut_jpeg)
    job = do.claimed(generation)
    result = do.run(job, tmp_path / "work")
    Consent.objects.update(revoked="2026-01-01T00:00:00Z")  # as another process would, between work and publishing
    with pytest.raises(Refused) as refused:
        lifecycle.succeed(job.pk, job.attempt, result)
    assert reason(refused) is Reason.CONSENT_WITHDRAWN
    assert not MadeOutput.objects.exists()


def test_withdrawing_stops_what_waits_and_takes_away_what_was_made(
    ada: User, astronaut_jpeg: bytes, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    done = do.made(ada, astronaut_jpeg, tmp_path / "work")
    consent = done.consent
    artifact = do.uploaded(ada, astronaut_jpeg)
    waiting = services.submit_generation(do.requester(ada), do.wish(artifact, consent))
    stored = done.result.file
    with django_capture_on_commit_callbacks(execute=True):
        assert services.revoke_consent(consent) == 2
    for generation in (done, waiting):
        generation.refresh_from_db()
        assert generation.withdrawn is not None
        assert not Artifact.objects.filter(job=generation.job_id).exists()
    waiting.job.refresh_from_db()
    assert waiting.job.state == "cancelled"
    assert not stored.storage.exists(stored.name)
    assert MadeOutput.objects.get().withdrawn is not None
    assert services.revoke_consent(consent) == 0


# --- Page, API, command -----------------------------------------------------------------------------------------------
def test_pages_of_another_account_do_not_exist(ada: User, ben: User, astronaut_jpeg: bytes) -> None:
    generation = do.submitted(ada, astronaut_jpeg)
    client = Client()
    for who in (None, ben):
        if who is not None:
            client.force_login(who)
        expected = {302} if who is None else {404}
        assert client.get(reverse("generation:result", args=[generation.pk])).status_code in expected
        assert client.post(reverse("generation:delete", args=[generation.pk])).status_code in expected
        assert client.post(reverse("generation:revoke", args=[generation.consent_id])).status_code in expected
    assert Consent.objects.get().revoked is None


def test_consent_is_not_withdrawn_by_a_link_nor_without_a_token(ada: User, astronaut_jpeg: bytes) -> None:
    consent = do.consented(ada, do.uploaded(ada, astronaut_jpeg))
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    address = reverse("generation:revoke", args=[consent.pk])
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 403


def test_the_upload_page_and_the_api_of_checks_make_nothing(ada: User, ada_client: Client) -> None:
    ada_client.post("/", {"files": factories.upload(), "kind": NAME, "inputs": "[]", "affirmed": "on"})
    ada_client.post("/api/v1/checks", {"file": factories.upload(), "kind": NAME})
    assert Job.objects.filter(kind="check").count() == 2
    assert nothing_queued()


def test_terms_by_page(ada: User, ada_client: Client) -> None:
    TermsAcceptance.objects.all().delete()
    address = reverse("generation:terms")
    assert texts.terms().paragraphs[0] in ada_client.get(address).content.decode()
    assert ada_client.post(address, {"version": "0", "agreed": "on"}).status_code == 400
    assert ada_client.post(address, {"version": texts.terms().version}).status_code == 400
    assert not TermsAcceptance.objects.exists()
    assert ada_client.post(address, {"version": texts.terms().version, "agreed": "on"}).status_code == 302
    assert TermsAcceptance.of(ada) is not None


def test_every_kind_of_the_app_goes_through_the_gate() -> None:
    """A kind whose handler is this app's and that makes something cannot be registered past `generating_kind`."""
    for kind in kinds.registered():
        if kind.handler.startswith("generation.") and kind.name != "block_faces":
            assert kind.admit is admission.admit, kind.name
            assert kind.prepare is making.prepare, kind.name
            assert kind.publish is publishing.publish, kind.name


def test_a_lost_account_takes_its_things_along_but_not_the_ledger(
    ada: User, astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    from generation.ledger import LedgerEntry, faults

    generation = do.made(ada, astronaut_jpeg, tmp_path / "work")
    job_ref = generation.job_id
    lines = [(line.number, line.hash) for line in LedgerEntry.objects.all()]
    ada.delete()
    assert not Generation.objects.exists()
    assert not Consent.objects.exists()
    assert [(line.number, line.hash) for line in LedgerEntry.objects.all()] == lines
    assert list(faults()) == []
    assert MadeOutput.objects.get(job_ref=job_ref).job is None
    told = json.dumps([line.body for line in LedgerEntry.objects.all()])
    assert "ada" not in told
    assert "example.org" not in told


def test_new_members_may_make_things(db: None) -> None:
    assert maker("new@example.org").has_perm(admission.PERMISSION)
    assert not factories.member("other@example.org").has_perm(admission.PERMISSION)


def test_unknown_numbers_are_no_error(ada: User) -> None:
    assert services.take_down(uuid4()) is False
