"""Where a page finds the pictures of a check. One file has two addresses, by who looks: its owner (or
staff), or whoever has a link that was shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.urls import reverse

from jobs.models import Artifact

from .models import FaceFinding, Frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from .models import Check

PREVIEW: Final = "preview"  # a small silent copy of a video, encoded by us from its pixels


def faces_of(check: Check) -> list[FaceFinding]:
    faces = list(check.faces.select_related("crop", "gradcam", "boundary").order_by("index"))
    for face in faces:
        face.subject = check  # its width and height, without a query for each face
    return faces


def address(check: Check, faces: list[FaceFinding], url_of: Callable[[Artifact], str]) -> None:
    """Write on the check and its faces the addresses that this reader may use."""

    def url(artifact: Artifact | None) -> str:
        return "" if artifact is None else url_of(artifact)

    check.display_url = url(check.display)
    for face in faces:
        face.crop_url, face.gradcam_url = url(face.crop), url(face.gradcam)
        face.boundary_url = url(face.boundary)


def frames_of(check: Check, url_of: Callable[[Artifact], str]) -> list[Frame]:
    """The strip of a checked video, with the addresses that this reader may use."""
    frames = list(check.frames.select_related("picture").order_by("index"))
    for frame in frames:
        frame.picture_url = "" if frame.picture is None else url_of(frame.picture)
    return frames


def preview_of(check: Check, url_of: Callable[[Artifact], str]) -> str:
    """The address of the copy of a checked video that is played; empty where there is none."""
    preview = Artifact.objects.filter(job=check.job_id, role=PREVIEW).first()
    return "" if preview is None else url_of(preview)


def for_owner(artifact: Artifact) -> str:
    return artifact.url


def for_link(token: str) -> Callable[[Artifact], str]:
    return lambda artifact: reverse("detection:shared_file", args=[token, artifact.pk, artifact.public_name])


def for_program(check: Check) -> Callable[[Artifact], str]:
    """Addresses under the API, which take a token as well as a cookie."""
    return lambda artifact: reverse("api:check_picture", args=[check.pk, artifact.pk])


def shown_of(check: Check, artifact_id: UUID) -> Artifact | None:
    """A picture that the check's page shows: made by us from pixels. Never the original with what is hidden in it."""
    of_faces = Q(crop=artifact_id) | Q(gradcam=artifact_id) | Q(boundary=artifact_id)
    shown = (
        check.display_id == artifact_id
        or FaceFinding.objects.filter(subject=check).filter(of_faces).exists()
        or Frame.objects.filter(subject=check, picture=artifact_id).exists()
        or Artifact.objects.filter(pk=artifact_id, job=check.job_id, role=PREVIEW).exists()
    )
    if not shown:
        return None
    return Artifact.objects.filter(pk=artifact_id).first()
