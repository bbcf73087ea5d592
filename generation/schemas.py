"""What the API says of what is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from ninja import Schema

from jobs.snapshot import snapshot

from .consents import Consent
from .pages import outputs_of
from .texts import consent as consent_text

if TYPE_CHECKING:
    from django.http import HttpRequest

    from jobs.models import Artifact

    from .models import Generation


class CreationErrorBody(Schema):
    code: str
    message: str
    id: str | None = None


class CreationErrorOut(Schema):
    error: CreationErrorBody


class StatementOut(Schema):
    """What is stated about the people in one file. Send back `relation` and `version`."""

    relation: str
    version: str
    text: str


class MotionOut(Schema):
    driver: str
    name: str
    seconds: float


class FileOut(Schema):
    """A sealed file. `role` is `result`, `poster`, or what else the kind makes."""

    role: str
    url: str
    content_type: str
    size: int
    sha256: str
    width: int | None
    height: int | None


class CreationLine(Schema):
    id: str
    url: str
    kind: str
    title: str
    state: str
    created: str
    public: bool
    withdrawn: bool


class CreationOut(CreationLine):
    """`state` is that of its job; `facts` what was measured on it: the detectors' own score, and more by kind."""

    stage: str
    fraction: float
    eta_seconds: float | None
    queue_place: int | None
    error: CreationErrorBody | None
    files: list[FileOut]
    facts: dict[str, Any]


class CreationPage(Schema):
    items: list[CreationLine]
    count: int
    page: int
    pages: int


def statements_out() -> list[StatementOut]:
    texts = [(value, consent_text(value)) for value in Consent.Relation.values]
    return [StatementOut(relation=value, version=text.version, text=text.body) for value, text in texts]


def location(generation: Generation) -> str:
    return reverse("api:creation", args=[generation.pk])


def line_out(request: HttpRequest, generation: Generation) -> CreationLine:
    return CreationLine(**_line(request, generation))


def creation_out(request: HttpRequest, generation: Generation) -> CreationOut:
    job = snapshot(generation.job)
    facts = {name: value for name, value in generation.facts.items() if name != "provenance"}
    return CreationOut(
        **_line(request, generation),
        stage=job["stage"],
        fraction=job["fraction"],
        eta_seconds=job["eta_seconds"],
        queue_place=job["queue_place"],
        error=None if job["error"] is None else CreationErrorBody(**job["error"]),
        files=[_file(request, generation, each) for each in outputs_of(generation).values()],
        facts=facts,
    )


def _line(request: HttpRequest, generation: Generation) -> dict[str, Any]:
    page = reverse("generation:result", args=[generation.pk])
    return {
        "id": str(generation.pk),
        "url": request.build_absolute_uri(page),
        "kind": generation.kind,
        "title": generation.title,
        "state": str(generation.job.state),
        "created": generation.created.isoformat(),
        "public": generation.public_approved,
        "withdrawn": generation.withdrawn is not None,
    }


def _file(request: HttpRequest, generation: Generation, artifact: Artifact) -> FileOut:
    address = reverse("api:creation_file", args=[generation.pk, artifact.pk])
    return FileOut(
        role=artifact.role,
        url=request.build_absolute_uri(address),
        content_type=artifact.content_type,
        size=artifact.size,
        sha256=artifact.sha256,
        width=artifact.width,
        height=artifact.height,
    )
