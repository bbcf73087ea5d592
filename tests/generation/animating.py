"""Animations for tests: submitted as the site does; and an engine that moves nothing, where that is not the point."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from generation import animations, motions
from generation.animation import DRIVER, NAME, PORTRAIT
from generation.animations import Cast
from jobs import kinds, lifecycle
from tests.detection import factories
from tests.generation import making as do

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from numpy.typing import NDArray

    from generation.models import Generation
    from jobs.models import Artifact, Job

MOTION = "motion:nod"


def portrait(user: User, data: bytes) -> Artifact:
    return animations.accept_portrait(do.requester(user), factories.upload("portrait.jpg", data))


def clip(user: User, data: bytes) -> Artifact:
    return animations.accept_clip(do.requester(user), factories.upload("driver.mp4", data))


def submitted(user: User, data: bytes, driving: bytes | None = None, people: int = 1, **options: Any) -> Generation:
    shown = portrait(user, data)
    consents = {PORTRAIT: do.consented(user, shown, people=people)}
    cast = Cast(shown, motion=motions.find(MOTION))
    if driving is not None:
        driver = clip(user, driving)
        consents[DRIVER] = do.consented(user, driver)
        cast = Cast(shown, clip=driver)
    return animations.submit(do.requester(user), cast, consents, affirmed=True, options=options, title="Moved")


def claimed(generation: Generation) -> Job:
    job = lifecycle.claim("tests", [NAME])
    assert job is not None
    assert job.pk == generation.job_id
    return job


class Watcher:
    """What the owner is shown of unfinished work, and the stages that were told."""

    enough = False

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.previews: list[bytes] = []

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self.stages:
            self.stages.append(stage)

    def show(self, picture: bytes = b"", content_type: str = "", size: Any = (0, 0), facts: Any = None) -> None:
        self.previews.append(picture)


def run(job: Job, workdir: Path, watcher: Watcher | None = None) -> Any:
    """What the handler makes of the job, in this process."""
    from generation.handlers.animating import animate

    workdir.mkdir(exist_ok=True)
    return animate(kinds.get(NAME).prepare(job, workdir), watcher or Watcher())


def still_engine(request: Any, report: Any, seal: Any, preview: Any = None) -> Any:
    """In the place of `ml.animate.animate.run`: eight frames of the portrait, each a little darker."""
    from ml.animate.animate import AnimateResult
    from ml.media import decode
    from ml.provenance import visible_mark
    from ml.provenance.sealing import Clip

    pixels = decode(request.portrait).pixels
    frames = [np.asarray(pixels * (1 - 0.02 * number), np.uint8) for number in range(8)]

    def passing() -> Any:
        for number, frame in enumerate(frames):
            report("animate", number, len(frames))
            yield frame

    if preview is not None:
        preview(visible_mark.burn(frames[0], request.site))
    sealed = seal(Clip(passing(), Fraction(25), None, len(frames)))
    return AnimateResult(sealed, len(frames), 0, 3.5, (), {"motion": "none (tests)"}, "CPU (tests)", {"animate": 0.1})


def frames_of(data: bytes) -> list[NDArray[np.uint8]]:
    """Every frame of a finished clip."""
    import io

    import av

    with av.open(io.BytesIO(data)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def signed_weights(data: bytes, content_type: str) -> dict[str, str]:
    """What the file's manifest says of the weights that made it."""
    import io
    import json

    import c2pa

    from ml.provenance.plan import JOB_LABEL

    with c2pa.Reader(content_type, io.BytesIO(data)) as reader:
        told = json.loads(reader.json())
    assertions = told["manifests"][told["active_manifest"]]["assertions"]
    (job,) = (each["data"] for each in assertions if each["label"] == JOB_LABEL)
    weights: dict[str, str] = job["weights"]
    return weights
