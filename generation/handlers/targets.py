"""The picture or clip whose face is replaced: who is in it, what of it is shown, how it scores before and after."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from generation.handlers import judging, safeguarding
from jobs.errors import PersonError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from generation.exchange import GenerationRequest, SealedOutput
    from ml.media.video import VideoLimits
    from ml.provenance.sealing import Clip, Still
    from ml.swap.tracking import FaceChoice

LOOKED_AT: Final = 12  # frames of a clip that are looked at for people, spread evenly; as many first ones of scenes
BY_CHANCE: Final = 6  # and so many of which nobody who makes a clip knows which they are
JUDGED: Final = 6  # of a clip, before and after
BEFORE_SIDE: Final = 1600


def limits_of(request: GenerationRequest) -> VideoLimits:
    from ml.media.video import VideoLimits

    return VideoLimits() if request.video is None else VideoLimits(*request.video)


def frames_of(path: Path, limits: VideoLimits, count: int) -> list[NDArray[np.uint8]]:
    """So many frames of a clip, spread evenly. Raises MediaError."""
    from ml.media import video

    samples = video.read(path, lambda *_: None, limits=limits, samples=2 * count, scenes=0).samples
    step = max(1, len(samples) // count)
    return [sample.pixels() for sample in samples[::step][:count]]


class _ByChance:
    """Sees every frame of a clip and keeps some, each as likely as any other (Vitter, "Random sampling with a
    reservoir", 1985)."""

    def __init__(self, count: int) -> None:
        self.pictures: list[NDArray[np.uint8]] = []
        self._count, self._seen, self._dice = count, 0, random.SystemRandom()

    def __call__(self, frame: Any, seconds: float, quarter_turns: int) -> None:
        from ml.media.video import Sample

        self._seen += 1
        place = len(self.pictures) if self._seen <= self._count else self._dice.randrange(self._seen)
        if place < self._count:
            self.pictures[place : place + 1] = [Sample(seconds, 0, frame, quarter_turns).pixels()]


def shown_in(path: Path, limits: VideoLimits) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """Frames of a clip in which everybody should be who is in it: the spread ones with those that begin a scene, in
    their order, and some by chance. Raises MediaError."""
    from ml.media import video

    chance = _ByChance(BY_CHANCE)
    read = video.read(path, lambda *_: None, limits=limits, samples=LOOKED_AT, scenes=LOOKED_AT, watch=chance)
    return [sample.pixels() for sample in read.samples], chance.pictures


def is_clip(path: Path) -> bool:
    from ml.media import header

    with path.open("rb") as file:
        return header.sniff(file.read(64)) is None


def check_everybody(request: GenerationRequest, role: str, pictures: Sequence[NDArray[np.uint8]]) -> str:
    """Taken down, more people than consent was stated for, a face on the block list: raises Refused. Returns the looks
    of the first picture."""
    from ml.faces import FaceFinder

    looks = ""
    with FaceFinder() as finder:
        for number, pixels in enumerate(pictures):
            seen = safeguarding.check_looks(request, pixels)
            looks = looks if number else seen
            safeguarding.check_people(request, role, pixels, finder.find(pixels))
    return looks


def looked_at(request: GenerationRequest, role: str) -> tuple[str, list[NDArray[np.uint8]]]:
    """The pictures of an input that were checked for who is in them, and the looks of the first. Raises Refused, and
    PersonError for a file that cannot be read."""
    from ml.errors import MediaError

    path = request.files.get(role)
    if path is None:
        raise PersonError("no_file", "Here a picture or a clip is needed, not a built-in person.")
    more: list[NDArray[np.uint8]] = []
    if not is_clip(path):
        pictures = [safeguarding.opened(request, role)]
    else:
        try:
            pictures, more = shown_in(path, limits_of(request))
        except MediaError as error:
            raise PersonError(error.code, error.message) from error
    return check_everybody(request, role, [*pictures, *more]), pictures


class Target:
    def __init__(self, request: GenerationRequest, choice: FaceChoice) -> None:
        self.request, self.choice = request, choice
        self.limits = limits_of(request)
        self.is_clip = False
        self.painted: NDArray[np.uint8] | None = None
        """The picture as it was painted, or a frame from the middle of the clip; without its marks."""
        self._given: list[NDArray[np.uint8]] = []
        self._middle = 0

    def looked_at(self) -> str:
        """Check who is in it; returns its looks. Raises Refused and PersonError."""
        looks, self._given = looked_at(self.request, "target")
        self.is_clip = is_clip(self.request.files["target"])
        return looks

    def watched(self, media: Still | Clip) -> Still | Clip:
        """The same, with the picture to be shown kept back on the way."""
        from dataclasses import replace

        from ml.provenance.sealing import Still

        if isinstance(media, Still):
            self.painted = media.pixels
            return media
        self._middle = max(0, media.count // 2)
        return replace(media, frames=self._passing(media.frames))

    def _passing(self, frames: Any) -> Iterator[NDArray[np.uint8]]:
        for number, pixels in enumerate(frames):
            if number <= self._middle:
                self.painted = pixels
            yield pixels

    def before_jpeg(self) -> bytes:
        """What was given, as large as what was made of it or smaller: for its owner, to lay beside it."""
        import numpy as np
        from PIL import Image

        from ml.media import encode_jpeg

        pixels = self._given[0] if not self.is_clip else self._frame(self._middle)
        height, width = pixels.shape[:2]
        share = min(1.0, BEFORE_SIDE / max(height, width))
        if share < 1:
            size = (max(1, round(width * share)), max(1, round(height * share)))
            pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS), np.uint8)
        return encode_jpeg(pixels, quality=88)

    def _frame(self, number: int) -> NDArray[np.uint8]:
        """The frame of the clip that is shown as number `number` of what was made."""
        from ml.swap.clip_frames import ClipFrames

        clip = ClipFrames(self.request.files["target"])
        last = self._given[0]
        for seconds, pixels in clip:
            if seconds * clip.rate > number + 0.5:
                break
            last = pixels
        return last

    def score_before(self) -> dict[str, Any]:
        return judging.score(self._given[:: max(1, len(self._given) // JUDGED)][:JUDGED], self.choice)

    def score_after(self, output: SealedOutput) -> dict[str, Any]:
        """Of the finished file, as anybody would have it checked, its band and invisible mark included."""
        import io
        import tempfile
        from pathlib import Path

        import numpy as np
        from PIL import Image

        if not self.is_clip:
            with Image.open(io.BytesIO(output.data)) as image:
                return judging.score([np.asarray(image.convert("RGB"), np.uint8)], self.choice)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"made{output.suffix}"
            path.write_bytes(output.data)
            return judging.score(frames_of(path, self.limits, JUDGED), self.choice)
