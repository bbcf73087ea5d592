"""Polling, cancelling and files over http: for the owner, and for nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
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


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-", 0, 7), ("bytes=2-4", 2, 4), ("bytes=5-99", 5, 7), ("bytes=-3", 5, 7), ("Bytes=0-0", 0, 0)],
)
def test_a_part_is_served_so_that_players_can_seek(asked: str, first: int, last: int) -> None:
    client, key = visiting()
    artifact = made(submit(key), content_type="video/mp4")
    whole = client.get(artifact.url)
    assert (whole.status_code, whole["Accept-Ranges"]) == (200, "bytes")
    data = body(whole)
    part = client.get(artifact.url, headers={"Range": asked})
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes {first}-{last}/8")
    assert part["Content-Length"] == str(last - first + 1)
    assert body(part) == data[first : last + 1]
    for header in ("Content-Type", "Content-Disposition", "Content-Security-Policy", "Cache-Control", "ETag"):
        assert part[header] == whole[header], header


@pytest.mark.parametrize("asked", ["bytes=8-", "bytes=99-100", "bytes=-0"])
def test_of_a_part_beyond_the_end_only_the_size_is_told(asked: str) -> None:
    client, key = visiting()
    answer = client.get(made(submit(key)).url, headers={"Range": asked})
    assert (answer.status_code, answer["Content-Range"], answer.content) == (416, "bytes */8", b"")


@pytest.mark.parametrize("asked", ["bytes=4-2", "bytes=-", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes=0-1;q"])
def test_what_is_not_understood_is_answered_whole(asked: str) -> None:
    client, key = visiting()
    answer = client.get(made(submit(key)).url, headers={"Range": asked})
    assert (answer.status_code, len(body(answer))) == (200, 8)


def test_a_part_of_another_version_or_of_anothers_file_is_not_served() -> None:
    client, key = visiting()
    artifact = made(submit(key))
    etag = f'"{artifact.sha256}"'
    for held, status in ((etag, 206), (f"W/{etag}", 200), ('"other"', 200), ("Wed, 25 Nov 2026 10:00:00 GMT", 200)):
        answer = client.get(artifact.url, headers={"Range": "bytes=1-2", "If-Range": held})
        assert (answer.status_code, len(body(answer))) == (status, 2 if status == 206 else 8), held
    head = client.head(artifact.url, headers={"Range": "bytes=1-2"})
    assert (head.status_code, head["Content-Length"], head["Accept-Ranges"]) == (200, "8", "bytes")
    for close in head._resource_closers:  # a server's part; `close` would end the test's transaction, too
        close()
    again = client.get(artifact.url, headers={"Range": "bytes=1-2", "If-None-Match": f'"x", {etag}'})
    assert again.status_code == 304
    assert visiting()[0].get(artifact.url, headers={"Range": "bytes=0-"}).status_code == 404


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
    staff = django_user_model.objects.create_user("s", "s@example.org", "pw", is_staff=True)
    desk.force_login(staff)
    assert desk.get(artifact.url).status_code == 404  # being staff alone opens nothing
    staff.user_permissions.add(Permission.objects.get(codename="view_artifact"))
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
