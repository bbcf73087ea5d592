"""The real inference process without Django in it, its answer over the wire; and what a socket tells of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from enhancement.kinds import KIND
from enhancement.models import EnhancedPicture
from enhancement.wishes import Wish
from generation import ledger
from jobs import kinds, lifecycle
from jobs.inference import InferenceChild
from jobs.outcomes import Finished, Refused
from ml.provenance.verification import verify
from tests.detection.factories import requester
from tests.enhancement import factories

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from django.test import Client

    from jobs.models import Job
    from jobs.outcomes import Outcome


def by_a_child(request: Any) -> tuple[Outcome, list[tuple[str, int, int]]]:
    told: list[tuple[str, int, int]] = []

    async def run() -> Outcome:
        child = InferenceChild()
        try:
            await child.ready()
            return await child.run(KIND, request, lambda *step: told.append(step), lambda *_: None)
        finally:
            await child.close()

    return asyncio.run(run()), told


def prepared(job: Job, folder: Path) -> Any:
    folder.mkdir(exist_ok=True)
    return KIND.prepare(job, folder)


@pytest.mark.slow
@pytest.mark.django_db
def test_from_the_upload_to_the_signed_files(
    ada: User, astronaut_jpeg: bytes, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "served", lambda: (KIND,))
    made = factories.queued(requester(ada), Wish("jpeg", ("restorer",), None, 0.6, ".png"), data=astronaut_jpeg)
    job = factories.claimed(made)
    outcome, told = by_a_child(prepared(job, tmp_path / "work"))
    assert isinstance(outcome, Finished), outcome
    assert lifecycle.succeed(job.pk, job.attempt, outcome.result) == "succeeded"
    made.refresh_from_db()
    picture = EnhancedPicture.objects.get()
    data = factories.content(picture.file)
    held = verify(data, "image/png", settings.GENERATION_AUTHORITY_DIR)
    assert (held.job, held.kind) == (str(job.pk), "enhancement")
    assert (picture.width, picture.height, picture.strength) == (512, 512, 0.6)
    assert picture.figures["detector"]["faces"] == 1
    assert made.figures["detector"]["probability"] is not None
    assert ledger.LedgerEntry.objects.get(event="enhanced").job_ref == job.pk
    stages = list(dict.fromkeys(stage for stage, _done, _total in told))
    assert stages == [code for code, _label, _share in KIND.stages]
    assert max(total for stage, _done, total in told if stage == "enhance") > 1, "tile by tile"

    # What came out is uploaded once more: it is known by its bytes, and still a photograph.
    again = factories.queued(requester(ada), Wish("denoise", ("nlmeans",)), "again.png", data)
    job = factories.claimed(again)
    outcome, _told = by_a_child(prepared(job, tmp_path / "again"))
    assert isinstance(outcome, Finished), outcome
    lifecycle.succeed(job.pk, job.attempt, outcome.result)
    again.refresh_from_db()
    assert not again.generated
    assert [(parent.job_ref, parent.by) for parent in again.parents.all()] == [(made.job_id, "bytes")]


@pytest.mark.django_db
def test_a_person_is_told_what_they_can_mend(
    ada: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, astronaut_jpeg: bytes
) -> None:
    monkeypatch.setattr(kinds, "served", lambda: (KIND,))
    made = factories.queued(requester(ada), data=astronaut_jpeg)
    job = factories.claimed(made)
    request = prepared(job, tmp_path / "work")
    request.path.write_bytes(astronaut_jpeg[: len(astronaut_jpeg) // 2])
    outcome, _told = by_a_child(request)
    assert isinstance(outcome, Refused), outcome
    assert outcome.message.endswith(".")


@pytest.mark.django_db(transaction=True)
class TestSocket:
    async def test_its_owner_follows_it_and_nobody_else(
        self, ada: User, ada_client: Client, ben_client: Client
    ) -> None:
        from deepfake_site.asgi import application

        made = await sync_to_async(factories.queued)(requester(ada))

        def socket(client: Client) -> WebsocketCommunicator:
            cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
            headers = [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", cookie)]
            return WebsocketCommunicator(application, f"/ws/jobs/{made.job_id}/", headers)

        mine = socket(ada_client)
        assert (await mine.connect(timeout=5))[0]
        told = await mine.receive_json_from(timeout=5)
        assert (told["kind"], told["state"], told["result_url"]) == ("enhancement", "queued", made.get_absolute_url())
        assert [stage["code"] for stage in told["stages"]] == ["decode", "enhance", "measure", "seal"]
        # It ends without a result: a line in the ledger would outlive this test, which empties tables by DELETE.
        await sync_to_async(factories.failed)(made)
        while told["state"] != "failed":
            told = await mine.receive_json_from(timeout=5)
        assert told["error"]["message"] == "No face was found."
        await mine.disconnect()

        other = socket(ben_client)
        await other.connect(timeout=5)
        closed = await other.receive_output(timeout=5)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4404)
