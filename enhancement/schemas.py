"""What the API says of enhancements, in the words of its OpenAPI page."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from ninja import Schema
from pydantic import Field

from jobs.sentences import told
from jobs.snapshot import snapshot

from .models import EnhancedPicture, Enhancement


class EnhancementError(Schema):
    code: str
    message: str
    id: str | None = Field(default=None, description="Where an operator finds it in the log")


class EnhancementErrorOut(Schema):
    error: EnhancementError


class MethodOut(Schema):
    name: str
    label: str
    trained: bool = Field(description="A network that was trained for this project")
    scales: list[int] = Field(description="By which it enlarges; empty where it keeps the size, or its file decides")
    steered: bool = Field(description="Whether a strength changes what it does")
    generative: bool = Field(description="It may invent detail; its results say so in their manifest")
    seconds_per_megapixel: float = Field(description="About how long two cores take for a megapixel that is sent")


class TaskOut(Schema):
    name: str
    label: str
    about: str
    strength: str = Field(description="What the strength means, from 0 to 1")
    without_strength: str = Field(description="What happens where none is given")
    methods: list[MethodOut] = Field(description="The first is the default")


class MeasuresOut(Schema):
    sharpness: float = Field(description="Mean size of the Laplacian, in grey levels")
    noise: float = Field(description="Sigma of white noise, of 255")
    psnr: float | None = Field(default=None, description="In dB, against the truth where one was given; at most 100")
    ssim: float | None = Field(default=None, description="Against the truth")
    perceptual: float | None = Field(default=None, description="How different it looks from the truth; 0 is the same")


class DetectorOut(Schema):
    level: str = Field(description="As of a check; empty where the picture was too large to be scored")
    probability: float | None = None
    faces: int = 0
    reason_code: str = ""


class FiguresOut(Schema):
    measures: MeasuresOut
    detector: DetectorOut


class ResultOut(Schema):
    method: str
    label: str
    origin: str = Field(description='"trained here", "classical", or "imported: FILE, SHA-256"')
    strength: float = Field(description="0 to 1, as it was used")
    source_type: str = Field(description="IPTC's digital source type, as the file carries it")
    width: int
    height: int
    sha256: str | None = Field(description="Of the signed file; null once it is gone")
    content_type: str | None
    file: str | None = Field(description="Where the signed file is; asks for the same token or cookie")
    figures: FiguresOut
    notes: list[str] = Field(description="What could not be kept, in sentences")
    seconds: float


class ParentOut(Schema):
    job: UUID
    kind: str
    by: str = Field(description="How it was recognised: bytes, mark or looks")


class EnhancementLine(Schema):
    id: UUID
    url: str
    name: str
    created: datetime
    state: str = Field(description="queued, running, succeeded, failed or cancelled")
    task: str
    methods: list[str]


class EnhancementOut(EnhancementLine):
    scale: int | None
    strength: float | None = Field(description="As it was asked for; null lets the picture tell")
    width: int | None
    height: int | None
    sha256: str | None = Field(description="Of the file as it was sent; null once it is gone")
    figures: FiguresOut | None = Field(description="Of the picture as it was sent; null before the end")
    results: list[ResultOut]
    generated: bool = Field(description="Whether the picture is known to be generated; then its results say so, too")
    parents: list[ParentOut] = Field(description="What was made on this site before and was enhanced here")
    device: str
    weights_version: str
    seconds: float | None
    job: dict[str, Any] = Field(description="The job as it stands, as its websocket tells it")


class EnhancementPage(Schema):
    items: list[EnhancementLine]
    count: int
    page: int
    pages: int


def line_out(request: HttpRequest, enhancement: Enhancement) -> EnhancementLine:
    return EnhancementLine(
        id=enhancement.pk,
        url=request.build_absolute_uri(enhancement.get_absolute_url()),
        name=enhancement.title,
        created=enhancement.created,
        state=enhancement.job.state,
        task=enhancement.task,
        methods=enhancement.methods,
    )


def enhancement_out(request: HttpRequest, enhancement: Enhancement) -> EnhancementOut:
    pictures = enhancement.pictures.select_related("file").order_by("index")
    return EnhancementOut(
        **line_out(request, enhancement).model_dump(),
        scale=enhancement.scale,
        strength=enhancement.strength,
        width=enhancement.width,
        height=enhancement.height,
        sha256=enhancement.source.sha256 if enhancement.source else None,
        figures=enhancement.figures or None,
        results=[result_out(request, enhancement, picture) for picture in pictures],
        generated=enhancement.generated,
        parents=[ParentOut(job=each.job_ref, kind=each.kind, by=each.by) for each in enhancement.parents.all()],
        device=enhancement.device,
        weights_version=enhancement.weights_version,
        seconds=enhancement.seconds,
        job=snapshot(enhancement.job),
    )


def result_out(request: HttpRequest, enhancement: Enhancement, picture: EnhancedPicture) -> ResultOut:
    file = picture.file
    address = reverse("api:enhanced_picture", args=[enhancement.pk, file.pk]) if file else ""
    return ResultOut(
        method=picture.method,
        label=picture.named,
        origin=picture.origin,
        strength=picture.strength,
        source_type=picture.source_type,
        width=picture.width,
        height=picture.height,
        sha256=file.sha256 if file else None,
        content_type=file.content_type if file else None,
        file=request.build_absolute_uri(address) if file else None,
        figures=picture.figures,
        notes=[told(note) for note in picture.notes],
        seconds=picture.seconds,
    )


def location(enhancement: Enhancement) -> str:
    return reverse("api:enhancement", args=[enhancement.pk])
