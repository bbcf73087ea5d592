"""What the API says, in the words of its OpenAPI page."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from ninja import Schema
from pydantic import Field

from jobs.sentences import told
from jobs.snapshot import snapshot

from . import pictures
from .models import Check, FaceFinding, Frame


class Pictures(Schema):
    """Addresses of JPEG files, or null where there is none. They ask for the same token or cookie as the check."""

    crop: str | None = Field(description="The face as the detectors saw it")
    boundary: str | None = Field(description="The same, with a glow where the boundary network sees a seam")
    gradcam: str | None = Field(description="The same, with a glow at what the networks reacted to")


class FaceOut(Schema):
    box: tuple[int, int, int, int] = Field(description="x0, y0, x1, y1 in pixels of the upright picture")
    probability: float | None = Field(description="Calibrated probability that this face was manipulated, 0 to 1")
    level: str
    detectors: dict[str, float] = Field(description="Calibrated probability by detector")
    quality: dict[str, Any]
    yaw: float = Field(description="How far the head is turned, in degrees")
    reason_code: str
    reason: str
    pictures: Pictures


class FrameOut(Schema):
    seconds: float = Field(description="From the beginning of the video")
    probability: float | None = Field(description="That of the worst face in this frame")
    picture: str | None


class WorstMoment(Schema):
    t: float = Field(description="Seconds from the beginning")
    probability: float | None = None


class PersonOut(Schema):
    """Somebody who was followed through a video; `faces` has one face of each, in the same order."""

    index: int
    level: str
    probability: float | None = None
    interval: tuple[float, float] | None = Field(default=None, description="When other frames are drawn")
    reason_code: str = ""
    reason: str = ""
    frames: int | None = Field(default=None, description="In how many of the frames that were looked at")
    usable: int | None = Field(default=None, description="In how many of them well enough to be judged")
    share_over: float | None = Field(default=None, description="Share of the usable ones above the upper threshold")
    first: float | None = Field(default=None, description="Seconds from the beginning")
    last: float | None = None
    detectors: dict[str, float] = {}
    worst: list[WorstMoment] = []


class MomentOut(Schema):
    """One frame of a video that was looked at."""

    t: float = Field(description="Seconds from the beginning")
    people: dict[str, float] = Field(default={}, description="Probability by the index of the person")
    scene_cut: bool = Field(default=False, description="Whether a new scene begins here")


class HumanOut(Schema):
    """What people of this site judged, after the detectors. It holds over what they say."""

    verdict: str = Field(description="authentic, manipulated or unsure")
    words: str
    level: str = Field(description="The level that says the same")
    role: str = Field(description="In which role: reviewer or administrator")
    people: int = Field(description="How many of them said so")
    judged: datetime
    overrides: bool = Field(description="Whether the detectors say something else")


class CheckOut(Schema):
    id: UUID
    url: str = Field(description="The page of this check")
    name: str
    created: datetime
    media: str = Field(description="picture or video")
    state: str = Field(description="queued, running, succeeded, failed or cancelled")
    level: str | None = Field(
        description="The verdict that holds: likely_manipulated, inconclusive, likely_authentic or not_applicable; "
        "null before it. Where people have judged, it is theirs"
    )
    machine_level: str | None = Field(description="What the detectors say, whatever people judged")
    human: HumanOut | None = Field(description="What people of this site judged; null where nobody has")
    probability: float | None = Field(description="That of the worst face; null where nothing could be judged")
    interval: tuple[float, float] | None = Field(
        description="How far the probability moves when nothing that matters is changed; no confidence interval"
    )
    band: tuple[float, float] | None = Field(
        description="Between these two probabilities nothing is decided: the thresholds that this verdict was made with"
    )
    reason_code: str
    reason: str
    width: int | None
    height: int | None
    sha256: str | None = Field(description="Of the file as it was sent; null once it is gone")
    faces: list[FaceOut]
    duration: float | None = Field(description="Of a video, in seconds")
    people: list[PersonOut] = Field(description="Of a video: who was followed through it, each with a verdict")
    timeline: list[MomentOut] = Field(description="Of a video: how the score went")
    frames: list[FrameOut] = Field(description="Of a video: the strip that its page shows")
    preview: str | None = Field(description="Of a video: the small silent copy that its page plays (video/mp4)")
    provenance: dict[str, Any] = Field(description="What the file says about itself; empty where nothing was read")
    report: str | None = Field(description="The report for programs; with .pdf in place of .json, that for people")
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
    media: str
    state: str
    level: str | None = Field(description="The verdict that holds: that of people where they have judged")
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


def face_out(face: FaceFinding, origin: str) -> FaceOut:
    """`origin` is the site's scheme and host: whoever reads a check elsewhere still finds its pictures."""
    return FaceOut(
        box=(face.x0, face.y0, face.x1, face.y1),
        probability=face.probability,
        level=face.level,
        detectors=face.detectors,
        quality=face.quality,
        yaw=face.yaw,
        reason_code=face.reason_code,
        reason=face.reason,
        pictures=Pictures(
            crop=_whole(origin, face.crop_url),
            boundary=_whole(origin, face.boundary_url),
            gradcam=_whole(origin, face.gradcam_url),
        ),
    )


def frame_out(frame: Frame, origin: str) -> FrameOut:
    return FrameOut(seconds=frame.seconds, probability=frame.probability, picture=_whole(origin, frame.picture_url))


def _whole(origin: str, path: str) -> str | None:
    return origin + path if path else None


def band_of(check: Check) -> tuple[float, float] | None:
    return None if check.band_low is None or check.band_high is None else (check.band_low, check.band_high)


def check_out(request: HttpRequest, check: Check) -> CheckOut:
    origin = request.build_absolute_uri("/").rstrip("/")
    url_of = pictures.for_program(check)
    faces = pictures.faces_of(check)
    pictures.address(check, faces, url_of)
    is_video = check.media == check.Media.VIDEO
    return CheckOut(
        **line_out(request, check).model_dump(),
        machine_level=check.level or None,
        human=human_out(check),
        interval=check.interval,
        band=band_of(check),
        reason_code=check.reason_code,
        reason=check.reason,
        width=check.width,
        height=check.height,
        sha256=check.original.sha256 if check.original else None,
        faces=[face_out(face, origin) for face in faces],
        duration=check.duration,
        people=check.people,
        timeline=check.timeline,
        frames=[frame_out(frame, origin) for frame in pictures.frames_of(check, url_of)] if is_video else [],
        preview=_whole(origin, pictures.preview_of(check, url_of)) if is_video else None,
        provenance=check.provenance,
        report=origin + reverse("api:check_report_json", args=[check.pk]) if check.level else None,
        weights_version=check.weights_version,
        thresholds_version=check.thresholds_version,
        device=check.device,
        seconds=check.seconds,
        not_checked=[told(each) for each in check.not_checked],
        job=snapshot(check.job),
    )


def line_out(request: HttpRequest, check: Check) -> CheckLine:
    return CheckLine(
        id=check.pk,
        url=request.build_absolute_uri(check.get_absolute_url()),
        name=check.title,
        created=check.created,
        media=check.media,
        state=check.job.state,
        level=check.holds or None,
        probability=check.probability,
    )


def human_out(check: Check) -> HumanOut | None:
    human = check.human
    return None if human is None else HumanOut(**human.as_json())


def location(check: Check) -> str:
    return reverse("api:check", args=[check.pk])
