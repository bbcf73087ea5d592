"""What the API says, in the words of its OpenAPI page."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from ninja import Schema
from pydantic import Field

from jobs.snapshot import snapshot

from . import pictures
from .models import Check, FaceFinding


class FaceOut(Schema):
    box: tuple[int, int, int, int] = Field(description="x0, y0, x1, y1 in pixels of the upright picture")
    probability: float | None = Field(description="Calibrated probability that this face was manipulated, 0 to 1")
    level: str
    detectors: dict[str, float] = Field(description="Calibrated probability by detector")
    quality: dict[str, Any]
    yaw: float = Field(description="How far the head is turned, in degrees")
    reason_code: str
    reason: str


class CheckOut(Schema):
    id: UUID
    url: str = Field(description="The page of this check")
    name: str
    created: datetime
    state: str = Field(description="queued, running, succeeded, failed or cancelled")
    level: str | None = Field(
        description="likely_manipulated, inconclusive, likely_authentic or not_applicable; null before the verdict"
    )
    probability: float | None = Field(description="That of the worst face; null where nothing could be judged")
    interval: tuple[float, float] | None
    reason_code: str
    reason: str
    width: int | None
    height: int | None
    faces: list[FaceOut]
    weights_version: str
    thresholds_version: str
    device: str
    seconds: float | None
    not_checked: list[str]
    job: dict[str, Any] = Field(description="The job as it stands, as its websocket tells it")


class CheckLine(Schema):
    id: UUID
    url: str
    name: str
    created: datetime
    state: str
    level: str | None
    probability: float | None


class CheckPage(Schema):
    items: list[CheckLine]
    count: int
    page: int
    pages: int


class ErrorBody(Schema):
    code: str
    message: str
    id: str | None = Field(default=None, description="Where an operator finds it in the log")


class ErrorOut(Schema):
    error: ErrorBody


def face_out(face: FaceFinding) -> FaceOut:
    return FaceOut(
        box=(face.x0, face.y0, face.x1, face.y1),
        probability=face.probability,
        level=face.level,
        detectors=face.detectors,
        quality=face.quality,
        yaw=face.yaw,
        reason_code=face.reason_code,
        reason=face.reason,
    )


def check_out(request: HttpRequest, check: Check) -> CheckOut:
    return CheckOut(
        **line_out(request, check).model_dump(),
        interval=check.interval,
        reason_code=check.reason_code,
        reason=check.reason,
        width=check.width,
        height=check.height,
        faces=[face_out(face) for face in pictures.faces_of(check)],
        weights_version=check.weights_version,
        thresholds_version=check.thresholds_version,
        device=check.device,
        seconds=check.seconds,
        not_checked=check.not_checked,
        job=snapshot(check.job),
    )


def line_out(request: HttpRequest, check: Check) -> CheckLine:
    return CheckLine(
        id=check.pk,
        url=request.build_absolute_uri(check.get_absolute_url()),
        name=check.title,
        created=check.created,
        state=check.job.state,
        level=check.level or None,
        probability=check.probability,
    )


def location(check: Check) -> str:
    return reverse("api:check", args=[check.pk])
