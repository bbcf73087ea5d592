"""Polling, cancelling and files over http: for the owner, and for nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from jobs import lifecycle
from jobs.models import Artifact, Job

from .conftest import submit
from .handlers_for_tests import Answer

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def visiting() -> tuple[Client, str]:
    client = Client()
    session = client.session
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    return client, str(session.session_key)


def made(job: Job, role: str = "display", content_type: str = "image/jpeg") -> Artifact:
    return Artifact.store(role=role, data=b"\xff\xd8pixels", content_type=content_type, suffix=".jpg", job=job)


def body(answer: Any) -> bytes:
    """Read to the end, which also closes the file."""
    return b"".join(answer.streaming_content)


def test_polling_answers_with_the_snapshot_and_then_with_304() -> None:
    client, key = visiting()
    job = submit(key)
    address = f"/jobs/{job.pk}.json"
    first = client.get(address)
    assert first.status_code == 200
    assert first.headers["Content-Type"] == "application/json"
    assert first.json()["state"] == "queued"
    assert "private" in first.headers["Cache-Control"]
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    lifecycle.cancel(job.pk)
    changed = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.json()["state"] == "cancelled"


@pytest.mark.parametrize("path", ["/jobs/{job}.json", "/files/{artifact}/display.jpg"])
def test_what_is_anothers_does_not_exist(path: str, django_user_model: type[User]) -> None:
    _, key = visiting()
    job = submit(key)
    address = path.format(job=job.pk, artifact=made(job).pk)
    assert Client().get(address).status_code == 404
    assert visiting()[0].get(address).status_code == 404
    member = Client()
    member.force_login(django_user_model.objects.create_user("m", "m@example.org", "pw"))
    assert member.get(address).status_code == 404
    missing = path.format(job="00000000-0000-4000-8000-000000000000", artifact="00000000-0000-4000-8000-000000000000")
    assert Client().get(missing).status_code == 404


def test_polling_makes_no_session() -> None:
    client = Client()
    client.get("/jobs/00000000-0000-4000-8000-000000000000.json")
    assert "sessionid" not in client.cookies


def test_cancel_is_for_the_owner_by_post_with_a_token() -> None:
    client, key = visiting()
    job = submit(key)
    address = f"/jobs/{job.pk}/cancel"
    assert client.get(address).status_code == 405
    assert visiting()[0].post(address).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["sessionid"] = key
    assert strict.post(address).status_code == 403
    job.refresh_from_db()
    assert job.state == "queued"
    answer = client.post(address, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert client.post(address).json()["state"] == "cancelled"


def test_cancel_from_a_page_without_scripts_goes_back_to_a_page() -> None:
    client, key = visiting()
    answer = client.post(f"/jobs/{submit(key).pk}/cancel", headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 302


def test_a_made_picture_is_served_so_that_nothing_in_it_can_run() -> None:
    client, key = visiting()
    artifact = made(submit(key))
    answer = client.get(artifact.url)
    assert answer.status_code == 200
    assert body(answer) == b"\xff\xd8pixels"
    headers = answer.headers
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Content-Disposition"] == 'inline; filename="display.jpg"'
    assert headers["Cache-Control"].startswith("private")
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert client.get(artifact.url, headers={"If-None-Match": headers["ETag"]}).status_code == 304
    download = client.get(f"{artifact.url}?download")
    assert download.headers["Content-Disposition"] == 'attachment; filename="display.jpg"'
    assert body(download)
    assert client.get(f"/files/{artifact.pk}/other.jpg").status_code == 404


def test_what_is_no_picture_is_only_ever_downloaded() -> None:
    client, key = visiting()
    answer = client.get(made(submit(key), "report", "text/html").url)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert body(answer)


def test_the_original_with_its_places_and_names_is_for_staff_alone(django_user_model: type[User]) -> None:
    client, key = visiting()
    artifact = made(submit(key), Artifact.ORIGINAL)
    assert client.get(artifact.url).status_code == 404
    desk = Client()
    desk.force_login(django_user_model.objects.create_user("s", "s@example.org", "pw", is_staff=True))
    answer = desk.get(artifact.url)
    assert answer.status_code == 200
    assert body(answer)


def test_a_row_whose_file_is_gone_answers_404(house: Any) -> None:
    client, key = visiting()
    artifact = made(submit(key))
    (Path(house.MEDIA_ROOT) / str(artifact.file.name)).unlink()
    assert client.get(artifact.url).status_code == 404


def test_signing_in_takes_along_what_the_visitor_began(django_user_model: type[User]) -> None:
    client, key = visiting()
    job = submit(key)
    artifact = made(job)
    other = submit("somebody-else")
    user = django_user_model.objects.create_user("m", "m@example.org", "pw")
    request = client.get("/").wsgi_request
    from django.contrib.auth import login

    request.COOKIES["sessionid"] = key
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    for row in (job, artifact):
        row.refresh_from_db()
        assert (row.owner, row.session_key) == (user, "")
    assert job.owner_key == f"user:{user.pk}"
    other.refresh_from_db()
    assert other.owner is None


def test_the_snapshot_of_a_running_job_counts_by_the_weights_of_its_stages() -> None:
    client, key = visiting()
    submit(key)
    job = lifecycle.claim("w", ["test"], "a device")
    assert job is not None
    lifecycle.progress(job.pk, 1, stage="first", done=1, total=2, eta=3.5, seq=job.seq + 1)
    shown = client.get(f"/jobs/{job.pk}.json").json()
    assert (shown["stage"], shown["stage_label"], shown["done"], shown["total"]) == ("first", "First stage", 1, 2)
    assert (shown["fraction"], shown["eta_seconds"], shown["device"], shown["queue_place"]) == (
        0.375, 3.5, "a device", None,
    )  # fmt: skip
    lifecycle.succeed(job.pk, 1, Answer("", 1))
    shown = client.get(f"/jobs/{job.pk}.json").json()
    assert (shown["state"], shown["fraction"], shown["eta_seconds"], shown["error"]) == ("succeeded", 1.0, None, None)


def test_waiting_jobs_know_their_place_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.estimates.median_seconds", lambda kind: 10.0)
    client, key = visiting()
    for _ in range(4):
        submit("visitor-a")
    job = submit(key)
    shown = client.get(f"/jobs/{job.pk}.json").json()
    assert shown["queue_place"] == 2, "owners take turns: one of visitor-a goes before"
    assert shown["eta_seconds"] == 30.0


def test_artifact_copies_leave_the_storage(tmp_path: Path) -> None:
    artifact = Artifact(role="original", sha256="0" * 64, content_type="image/png", size=3)
    artifact.file.save("original.png", ContentFile(b"abc"), save=False)
    copy = artifact.copy_to(tmp_path)
    assert copy.parent == tmp_path and copy.suffix == ".png" and copy.read_bytes() == b"abc"
