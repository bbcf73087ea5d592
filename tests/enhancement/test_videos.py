"""Videos: one method, frame by frame, with rate and sound; what is refused, and what the page shows."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import av
import pytest
from PIL import Image

from enhancement import services
from enhancement.exchange import ClipLimits, EnhanceJobRequest, EnhanceJobResult
from enhancement.handlers.filming import enhance
from enhancement.models import Enhancement
from enhancement.refusals import WrongWish
from enhancement.wishes import Wish
from jobs import lifecycle
from jobs.errors import PersonError
from jobs.models import Artifact
from jobs.states import JobState
from ml.provenance import invisible_mark
from ml.provenance.plan import Work
from ml.provenance.verification import verify
from tests import clips
from tests.detection.factories import jpeg, requester, upload

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from django.contrib.auth.models import User
    from django.test import Client

JOB = "11111111-1111-4111-8111-111111111111"
MARK = "0123456789ab"
LIMITS = ClipLimits("video/mp4", 100 * 1024 * 1024, 60.0, 1920 * 1080, 7200)


@pytest.fixture(scope="module")
def clip() -> bytes:
    return clips.encoded(clips.astronaut_frames(count=8, width=192, height=160, side=150, drift=30))


def request_for(path: Path, **changes: Any) -> EnhanceJobRequest:
    told: dict[str, Any] = {
        "path": path,
        "task": "upscale",
        "methods": ("compact",),
        "job": JOB,
        "kind": "enhancement_video",
        "mark": MARK,
        "site": "Unmask",
        "authority": path.parent / "authority",
        "networks": path.parent / "networks",
        "scale": 2,
        "clip": LIMITS,
    }
    return EnhanceJobRequest(**told | changes)


def made_of(clip: bytes, folder: Path, **changes: Any) -> EnhanceJobResult:
    path = folder / "clip.mp4"
    path.write_bytes(clip)
    return enhance(request_for(path, **changes), lambda stage, done, total: None)


def frames_of(data: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(data)) as opened:
        return [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]


class TestHandler:
    def test_twice_as_large_signed_and_measured(self, clip: bytes, tmp_path: Path) -> None:
        result = made_of(clip, tmp_path)
        (made,) = result.results
        frames, before = frames_of(made.picture.data), frames_of(result.before_copy)
        assert len(frames) == len(before) == 8
        assert frames[0].shape == (320, 384, 3)
        assert before[0].shape == (160, 192, 3)
        held = verify(made.picture.data, "video/mp4", tmp_path / "authority")
        assert (held.job, held.kind, held.work) == (JOB, "enhancement_video", Work.ENHANCEMENT)
        assert made.source_type == "algorithmicallyEnhanced"
        assert not result.generated
        assert invisible_mark.read(frames[0], cropped=False) is None
        assert result.before_detector.faces == 1
        assert made.detector.faces == 1
        assert result.poster is not None
        assert Image.open(io.BytesIO(result.poster.data)).size == (384, 320)
        verify(result.poster.data, "image/webp", tmp_path / "authority")

    def test_what_was_generated_goes_on_saying_so(self, clip: bytes, tmp_path: Path) -> None:
        result = made_of(clip, tmp_path, made_here=True)
        (made,) = result.results
        assert result.generated
        assert verify(made.picture.data, "video/mp4", tmp_path / "authority").work is Work.RESTORATION
        assert made.source_type == "compositeWithTrainedAlgorithmicMedia"
        assert invisible_mark.read(frames_of(made.picture.data)[0], cropped=False) == MARK
        assert len(made.picture.perceptual_hash) == 16

    def test_what_looks_taken_down_is_refused(self, clip: bytes, tmp_path: Path) -> None:
        seen = made_of(clip, tmp_path).perceptual_hash
        with pytest.raises(PersonError, match="taken down"):
            made_of(clip, tmp_path, blocked=(seen,))

    @pytest.mark.parametrize("method", ["bicubic", "lanczos"])
    def test_methods_that_take_no_videos_say_so(self, clip: bytes, tmp_path: Path, method: str) -> None:
        with pytest.raises(PersonError, match="take videos"):
            made_of(clip, tmp_path, methods=(method,))

    def test_cut_short(self, clip: bytes, tmp_path: Path) -> None:
        with pytest.raises(PersonError) as refused:
            made_of(clip[: len(clip) // 3], tmp_path)
        assert refused.value.message.endswith(".")


@pytest.mark.django_db
class TestSite:
    def test_queued_as_long_work_with_its_own_limits(self, ada: User, clip: bytes, tmp_path: Path) -> None:
        from enhancement.kinds import KIND_VIDEO

        made = services.submit_enhancement(requester(ada), upload("clip.mp4", clip), Wish("upscale"))
        assert (made.media, made.methods, made.scale, made.job.kind) == ("video", ["compact"], 2, "enhancement_video")
        assert KIND_VIDEO.long
        told = KIND_VIDEO.prepare(made.job, tmp_path)
        assert told.clip == LIMITS
        assert told.path.read_bytes() == clip

    @pytest.mark.parametrize(
        ("wish", "field"),
        [
            (Wish("upscale", ("compact", "bicubic"), 2), "methods"),
            (Wish("upscale", ("bicubic",), 2), "methods"),
            (Wish("deblur", ("unsharp",)), "picture"),
            (Wish("upscale", ("compact",), 3), "scale"),
        ],
    )
    def test_what_cannot_be_done_to_a_video(self, ada: User, clip: bytes, wish: Wish, field: str) -> None:
        with pytest.raises(WrongWish) as refused:
            services.submit_enhancement(requester(ada), upload("clip.mp4", clip), wish)
        assert refused.value.field == field
        assert not Artifact.objects.exists()

    def test_frames_that_no_browser_plays(self, ada: User) -> None:
        large = clips.encoded(clips.faceless_frames(count=3, width=1280, height=720))
        with pytest.raises(WrongWish, match="3840 x 2160"):
            services.submit_enhancement(requester(ada), upload("clip.mp4", large), Wish("upscale", ("compact",), 4))
        assert not Artifact.objects.exists()

    def test_no_true_picture(self, ada: User, clip: bytes) -> None:
        with pytest.raises(WrongWish) as refused:
            services.submit_enhancement(
                requester(ada), upload("clip.mp4", clip), Wish("upscale"), upload("t.jpg", jpeg())
            )
        assert refused.value.field == "truth"

    def test_from_the_upload_to_the_page(
        self, ada: User, ada_client: Client, clip: bytes, tmp_path: Path, settings: Any
    ) -> None:
        from enhancement.kinds import KIND_VIDEO

        answer = ada_client.post(
            "/enhance/", {"picture": upload("clip.mp4", clip), "task": "upscale", "methods": ["upscale/compact"]}
        )
        made = Enhancement.objects.get()
        assert answer["Location"] == made.get_absolute_url()
        job = lifecycle.claim("tests", ["enhancement_video"])
        assert job is not None
        result = enhance(KIND_VIDEO.prepare(job, tmp_path), lambda stage, done, total: None)
        assert lifecycle.succeed(job.pk, job.attempt, result) == JobState.SUCCEEDED
        made.refresh_from_db()
        page = ada_client.get(made.get_absolute_url()).content.decode()
        file = made.pictures.get().file
        assert f'<video src="{file.url}"' in page
        assert f'<video src="{made.before_picture.url}"' in page
        assert "data-loupe" not in page
        assert "Sharpness and noise are those of the first frame." in page
        again = services.enhance_again(made, requester(ada), Wish("upscale", ("compact",), 4))
        assert (again.media, again.scale) == ("video", 4)
