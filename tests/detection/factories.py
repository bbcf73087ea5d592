"""People, uploads and checks, made by the same calls that the site makes."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from deepfake_site import roles
from detection import services
from detection.desk import permissions
from detection.exchange import CheckJobResult, FaceJobResult
from jobs import lifecycle
from jobs.requester import Requester

if TYPE_CHECKING:
    from django.test import Client

    from detection.models import Check
    from jobs.models import Artifact, Job

PASSWORD = "a long enough password"


def jpeg(colour: str = "seagreen", size: tuple[int, int] = (96, 64)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG")
    return buffer.getvalue()


def upload(name: str = "photo.jpg", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, jpeg() if data is None else data, content_type="image/jpeg")


def member(email: str = "ada@example.org", **fields: Any) -> User:
    return User.objects.create_user(email.split("@")[0], email, PASSWORD, **fields)


def reviewer(email: str = "rita@example.org") -> User:
    return _staff(email, roles.REVIEWER)


def administrator(email: str = "adam@example.org") -> User:
    return _staff(email, roles.ADMINISTRATOR)


def _staff(email: str, role: str) -> User:
    roles.ensure(Group, Permission)  # a test that empties the tables empties these too
    permissions.grant(Group, Permission)
    user = member(email, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def content(artifact: Artifact) -> bytes:
    with artifact.file.open("rb") as stored:
        return stored.read()


def status(client: Client, address: str, method: str = "get", **extra: Any) -> int:
    """The status of an answer whose body nobody reads."""
    response = getattr(client, method)(address, **extra)
    if response.streaming:
        b"".join(response.streaming_content)
    return int(response.status_code)


def requester(user: User | None = None, session_key: str | None = None) -> Requester:
    return Requester(user=user, session_key=session_key)


def of_client(client: Client) -> Requester:
    """The visitor that a test client is, once it has a session."""
    return Requester(user=None, session_key=client.session.session_key)


def visitor_with_session(client: Client) -> Requester:
    session = client.session
    session["visited"] = True
    session.save()
    client.cookies["sessionid"] = session.session_key
    return Requester(user=None, session_key=session.session_key)


def queued(owner: Requester, name: str = "photo.jpg", data: bytes | None = None) -> Check:
    return services.submit_check(owner, upload(name, data))


def claimed(check: Check) -> Job:
    """The job of the check, as the worker that took it sees it."""
    for _turn in range(50):
        job = lifecycle.claim("tests", ["check"])
        assert job is not None, "nothing left to claim"
        if job.pk == check.job_id:
            return job
        assert lifecycle.requeue(job.pk, job.attempt)
    raise AssertionError("never came to its turn")


FACE = FaceJobResult(
    box=(10, 8, 50, 48),
    level="likely_manipulated",
    probability=0.91,
    detectors={"meso4": 0.88, "mesoinception4": 0.94},
    quality={"face_px": 40, "sharpness": 61.5, "compression": "low"},
    yaw=-12.5,
    reason_code=None,
    reason=None,
    crop_jpeg=jpeg("peru", (32, 32)),
    gradcam_jpeg=jpeg("gold", (32, 32)),
)
OTHER_FACE = replace(
    FACE,
    box=(55, 8, 90, 40),
    level="likely_authentic",
    probability=0.07,
    detectors={"meso4": 0.05, "mesoinception4": 0.09},
)
RESULT = CheckJobResult(
    level="likely_manipulated",
    probability=0.91,
    interval=(0.82, 0.96),
    reason_code="worst_face",
    reason="The detectors see the traces of a manipulation.",
    faces=(FACE, OTHER_FACE),
    width=96,
    height=64,
    display_jpeg=jpeg(),
    weights_version="weights-test",
    thresholds_version="thresholds-test",
    device="CPU (tests)",
    timings={"decode": 0.01, "detectors": 0.05},
    seconds=0.12,
    not_checked=("provenance",),
    band=(0.4, 0.6),
)


def finished(check: Check, result: CheckJobResult = RESULT) -> Check:
    job = claimed(check)
    lifecycle.succeed(job.pk, job.attempt, result)
    check.refresh_from_db()
    return check


def failed(check: Check, code: str = "truncated", message: str = "This picture is incomplete.") -> Check:
    job = claimed(check)
    assert lifecycle.fail(job.pk, job.attempt, code, message, "0badcafe")
    check.refresh_from_db()
    return check
