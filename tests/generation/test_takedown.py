"""What people outside may ask for, what a decision does, and that what was taken down stays away."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from generation import permissions, pleading, services, showing
from generation.ledger import LedgerEntry, faults
from generation.models import BlockedFace, BlockedPicture, FacePlea, TakedownPlea
from generation.pleas import PleaStatus
from generation.refusals import Reason, Refused
from jobs import kinds, lifecycle
from jobs.errors import PersonError
from jobs.models import Artifact, Job, MadeOutput
from tests.detection import factories
from tests.generation import making as do
from tests.generation import rows
from tests.generation.mirror import NAME

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from numpy.typing import NDArray

pytestmark = pytest.mark.django_db


def asked(client: Client, **fields: Any) -> int:
    told = {"contact": "who@example.org", "statement": "That is me.", "address": "", **fields}
    return client.post(reverse("generation:takedown"), told).status_code


def test_taken_down_everywhere_at_once_and_for_good(
    ada: User, ben: User, astronaut_jpeg: bytes, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    generation = do.made(ada, astronaut_jpeg, tmp_path / "work")
    made = factories.content(generation.result)
    copy = factories.queued(factories.requester(ben), "found.jpg", made)  # somebody else checks the very file
    files = [artifact.file for artifact in Artifact.objects.all()]
    assert asked(Client(), copy=SimpleUploadedFile("found.jpg", made)) == 302
    plea = TakedownPlea.objects.get()
    assert plea.job_ref == generation.job_id
    with django_capture_on_commit_callbacks(execute=True):
        assert pleading.decide_takedown(plea, PleaStatus.GRANTED, None)
    assert not any(file.storage.exists(file.name) for file in files)
    assert not Artifact.objects.filter(job__in=[generation.job_id, copy.job_id]).exists()
    assert {line.event for line in LedgerEntry.objects.all()} == {"made", "withdrawn", "taken_down"}
    assert list(faults()) == []
    assert MadeOutput.objects.get().withdrawn is not None
    for again in (made, astronaut_jpeg):
        with pytest.raises(Refused) as refused:
            do.uploaded(ben, again)
        assert refused.value.reason is Reason.BLOCKED_PICTURE
    assert not Artifact.objects.filter(owner=ben).exists()


def test_the_same_picture_in_other_bytes_is_refused_by_its_looks(
    ada: User, ben: User, astronaut: NDArray[np.uint8], astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    generation = do.made(ada, astronaut_jpeg, tmp_path / "work")
    assert services.take_down(generation.job_id)
    out = io.BytesIO()
    Image.fromarray(astronaut).resize((380, 380)).save(out, "JPEG", quality=60)
    job = do.claimed(do.submitted(ben, out.getvalue()))
    with pytest.raises(PersonError) as refused:
        do.run(job, tmp_path / "work2")
    assert refused.value.code == Reason.BLOCKED_PICTURE


@pytest.mark.parametrize("by", ["page", "job", "link", "file", "nothing known"])
def test_found_by_address_or_number(by: str, ada: User) -> None:
    (generation,) = rows.finished(ada, 1)
    token = showing.share(generation)
    page = Client().get(reverse("generation:shared", args=[token])).content.decode()
    address = {
        "page": f"https://unmask.example/create/{generation.pk}/",
        "link": parse_qs(urlsplit(re.findall(r'href="(/create/takedown/[^"]+)"', page)[0]).query)["address"][0],
        "file": reverse("generation:public_file", args=[generation.poster_id, "poster.jpg"]),
        "job": f"job {generation.job_id}",
        "nothing known": "https://elsewhere.example/photo.jpg",
    }[by]
    assert asked(Client(), address=address) == 302
    plea = TakedownPlea.objects.get()
    assert plea.job_ref == (None if by == "nothing known" else generation.job_id)
    showing.share(generation)  # another link: the request was understood when it came
    assert pleading.decide_takedown(plea, PleaStatus.GRANTED, None) is (by != "nothing known")
    plea.refresh_from_db()
    assert plea.status == (PleaStatus.OPEN if by == "nothing known" else PleaStatus.GRANTED)


def test_nobody_refuses_a_request_about_their_own_work(ada: User, ben: User) -> None:
    (generation,) = rows.finished(ada, 1)
    assert asked(Client(), address=str(generation.pk)) == 302
    plea = TakedownPlea.objects.get()
    permissions.grant(Group, Permission)
    ada.groups.add(Group.objects.get(name="reviewer"))
    type(ada).objects.filter(pk=ada.pk).update(is_staff=True)
    client = Client()
    client.force_login(ada)
    change = reverse("admin:generation_takedownplea_change", args=[plea.pk])
    assert client.post(change, {"job_ref": "", "answer": ""}).status_code == 403
    chosen = {"action": "refuse", "_selected_action": [str(plea.pk)]}
    told = client.post(reverse("admin:generation_takedownplea_changelist"), chosen, follow=True)
    assert b"your own work" in told.content
    assert not pleading.decide_takedown(plea, PleaStatus.REFUSED, ada)
    assert TakedownPlea.objects.get().status == PleaStatus.OPEN
    assert pleading.decide_takedown(plea, PleaStatus.REFUSED, ben)
    assert pleading.decide_takedown(plea, PleaStatus.GRANTED, ada)  # to take it away is anybody's who may


def test_asking_takes_nothing_down_by_itself(ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    generation = do.made(ada, astronaut_jpeg, tmp_path / "work")
    assert asked(Client(), address=str(generation.job_id), status="granted", job_ref=str(generation.job_id)) == 302
    assert TakedownPlea.objects.get().status == PleaStatus.OPEN
    assert Artifact.objects.filter(pk=generation.result_id).exists()


def test_requests_are_limited_and_checked() -> None:
    client = Client()
    assert asked(client) == 400  # neither an address nor a file
    assert asked(client, address="x", contact="nobody") == 400
    for _ in range(pleading.A_DAY):
        assert asked(client, address="somewhere") == 302
    assert asked(client, address="somewhere") == 400
    assert TakedownPlea.objects.count() == pleading.A_DAY
    assert Client(enforce_csrf_checks=True).post(reverse("generation:takedown"), {}).status_code == 403


def never_me(portrait: bytes) -> int:
    told = {"contact": "who@example.org", "statement": "Here I am.", "portrait": SimpleUploadedFile("me.jpg", portrait)}
    return Client().post(reverse("generation:never_me"), told).status_code


def test_a_blocked_face_is_refused(
    ada: User, astronaut_jpeg: bytes, faceless_jpeg: bytes, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    from generation.handlers import blocking

    assert never_me(b"<svg></svg>") == 400
    assert never_me(astronaut_jpeg) == 302
    assert never_me(faceless_jpeg) == 302
    pleas = {plea.portrait.size: plea for plea in FacePlea.objects.all()}
    stored = pleas[len(astronaut_jpeg)].portrait
    for plea in pleas.values():
        pleading.decide_face(plea, PleaStatus.GRANTED, None)
    job = lifecycle.claim("tests", [pleading.BLOCK_FACES])
    assert job is not None
    workdir = tmp_path / "block"
    workdir.mkdir()
    kind = kinds.get(pleading.BLOCK_FACES)
    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.succeed(job.pk, job.attempt, blocking.describe(kind.prepare(job, workdir), lambda *_: None))
    assert BlockedFace.objects.count() == 1
    assert not stored.storage.exists(stored.name)  # the portrait has done its service
    faceless = FacePlea.objects.get(pk=pleas[len(faceless_jpeg)].pk)
    assert faceless.status == PleaStatus.OPEN
    assert "0 faces" in faceless.answer
    with pytest.raises(PersonError) as refused:
        do.run(do.claimed(do.submitted(ada, astronaut_jpeg)), tmp_path / "work")
    assert refused.value.code == Reason.BLOCKED_FACE


def test_more_faces_than_consents_are_refused(ada: User, astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.fromarray(np.hstack([astronaut, astronaut])).save(out, "JPEG", quality=92)
    with pytest.raises(PersonError) as refused:
        do.run(do.claimed(do.submitted(ada, out.getvalue())), tmp_path / "one")
    assert refused.value.code == Reason.MORE_PEOPLE
    job = Job.objects.get(state="running")
    lifecycle.fail(job.pk, job.attempt, "tests", "done with")
    result = do.run(do.claimed(do.submitted(ada, out.getvalue(), people=2)), tmp_path / "two")
    assert len(result.outputs) == 1


def test_queues_of_the_desk(client: Client, ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    generation = do.made(ada, astronaut_jpeg, tmp_path / "work")
    asked(Client(), address=str(generation.job_id))
    never_me(astronaut_jpeg)
    admin, reviewer = factories.administrator(), factories.reviewer()
    permissions.grant(Group, Permission)
    names = ["generation", "consent", "takedownplea", "faceplea", "blockedpicture", "ledgerentry", "termsacceptance"]
    client.force_login(admin)
    for name in names:
        assert client.get(reverse(f"admin:generation_{name}_changelist")).status_code == 200, name
    line = LedgerEntry.objects.get(event="made")
    address = reverse("admin:generation_ledgerentry_change", args=[line.pk])
    assert str(generation.consent_id) in client.get(address).content.decode()
    client.post(address, {"event": "nothing", "number": "9"})
    assert LedgerEntry.objects.get(pk=line.pk).event == "made"
    plea, face = TakedownPlea.objects.get(), FacePlea.objects.get()
    portrait = reverse("admin:generation_faceplea_portrait", args=[face.pk])
    assert b"".join(client.get(portrait).streaming_content) == astronaut_jpeg
    client.force_login(reviewer)
    assert client.get(reverse("admin:generation_ledgerentry_changelist")).status_code == 403
    chosen = {"action": "grant", "_selected_action": [str(plea.pk)]}
    assert client.post(reverse("admin:generation_takedownplea_changelist"), chosen).status_code == 302
    assert not Artifact.objects.filter(job=generation.job_id).exists()
    assert BlockedPicture.objects.exists()
    client.force_login(ada)
    assert client.get(portrait).status_code == 302  # to the desk's own door


def test_pages_say_what_they_must(client: Client, ada: User, ada_client: Client) -> None:
    do.consented(ada, do.uploaded(ada, factories.jpeg()))
    shown = ada_client.get(reverse("generation:consents")).content.decode()
    assert "The person shown is me." in shown
    for name in ("never_me", "takedown", "terms", "home"):
        assert client.get(reverse(f"generation:{name}")).status_code == 200
    assert client.get(reverse("generation:authority")).status_code == 404  # nothing was ever signed here
    assert client.get(reverse("generation:consents")).status_code == 302
    assert not lifecycle.claim("tests", [NAME])
