"""Teaching the network a person, inside the safeguards: seen while it goes on, ended early, taken up after a crash."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

from generation.exchange import SealedOutput
from generation.handlers.targets import looked_at
from jobs.errors import PersonError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from generation.exchange import GenerationRequest
    from jobs.reporting import Report
    from ml.networks.swap.swap_config import SwapConfig
    from ml.swap.trainer import Look, Recipe

SHORTEST_MINUTES: Final = 0.5
LONGEST_MINUTES: Final = 8.0
"""With two minutes for everything around it, no lesson takes more than ten."""

STRIP: Final = "lesson"  # the role of the last strip among what was made

_MEASURED: Final = 5  # steps after which the pace is believed


@dataclass(frozen=True, slots=True)
class Lesson:
    """The identity's file, what the result page tells of how it was learned, and the last strip, sealed."""

    path: Path
    facts: dict[str, Any]
    strip: SealedOutput | None = None

    @classmethod
    def kept(cls, path: Path, notes: Path) -> Self:
        """What an earlier attempt has learned to the end."""
        told = json.loads(notes.read_text(encoding="utf-8"))
        size = told.pop("strip", None)
        data = notes.with_suffix(".jpg").read_bytes() if size else b""
        strip = SealedOutput(data, "image/jpeg", ".jpg", size[0], size[1], size[2], STRIP) if size else None
        return cls(path, told, strip)

    def keep(self, notes: Path) -> None:
        size = None
        if self.strip is not None:
            size = (self.strip.width, self.strip.height, self.strip.perceptual_hash)
            notes.with_suffix(".jpg").write_bytes(self.strip.data)
        fresh = notes.with_suffix(".part")
        fresh.write_text(json.dumps(self.facts | {"strip": size}), encoding="utf-8")
        fresh.replace(notes)


def learned(request: GenerationRequest, report: Report, preview: Callable[[NDArray[np.uint8]], SealedOutput]) -> Lesson:
    """Learn the person of the source beside that of the target, or take up what an earlier attempt has learned.

    Raises Refused, and PersonError for files from which nothing can be learned.
    """
    from ml.errors import MediaError
    from ml.swap import learn
    from ml.swap.extraction import as_data
    from ml.swap.people import start_for
    from ml.swap.tracking import FaceChoice

    if request.work is None:
        raise ValueError("a lesson needs a folder to go on from")
    path, notes = request.work / "person.identity", request.work / "lesson.json"
    if path.is_file() and notes.is_file():
        return Lesson.kept(path, notes)
    report("people", 0, 2)
    seen, _pictures = looked_at(request, "source")
    report("people", 1, 2)
    strips: list[SealedOutput] = []

    def show(strip: NDArray[np.uint8]) -> None:
        strips[:] = [preview(strip)]

    clock = _Clock(report, minutes_of(request.options), recipe_of(request.options))
    wanted = learn.LearnRequest(
        (request.files["source"],),
        (request.files["target"],),
        request.work / "lesson",
        path,
        str(request.options.get("person") or "Somebody")[:60],
        shape(),
        clock.recipe,
        start_for(shape()),
        request.safeguards.site,
        FaceChoice(request.options.get("face", FaceChoice.LARGEST)),
    )
    try:
        result = learn.run(wanted, clock.tell, show, enough=clock.enough, looked=clock.looked)
    except MediaError as error:
        raise PersonError(error.code, error.message) from error
    facts = {
        "seen": seen,
        "person": wanted.name,
        "faces": result.faces,
        "dropped": result.dropped,
        "coverage": as_data(result.coverage),
        "history": curve(result.history),
        "steps": result.about["steps"],
        "learning_seconds": round(result.seconds, 1),
        "early": report.enough,
    }
    lesson = Lesson(path, facts, None if not strips else replace(strips[-1], role=STRIP))
    lesson.keep(notes)
    return lesson


def shape() -> SwapConfig:
    from ml.networks.swap.swap_config import SWAP_96

    return SWAP_96


def minutes_of(options: dict[str, Any]) -> float:
    try:
        asked = float(options.get("minutes", LONGEST_MINUTES))
    except (TypeError, ValueError):
        asked = LONGEST_MINUTES
    return min(LONGEST_MINUTES, max(SHORTEST_MINUTES, asked if math.isfinite(asked) else LONGEST_MINUTES))


def recipe_of(options: dict[str, Any]) -> Recipe:
    from ml.swap.learn import QUICK

    try:
        steps = int(options.get("steps", QUICK.steps))
    except (TypeError, ValueError):
        steps = QUICK.steps
    steps = min(QUICK.steps, max(1, steps))
    return replace(QUICK, steps=steps, look_steps=max(1, min(QUICK.look_steps, steps // 2)))


def curve(history: list[Look] | tuple[Look, ...], most: int = 60) -> list[list[float]]:
    """[step, loss, validation loss] of at most so many looks, the first and the last among them."""
    step = max(1, math.ceil(len(history) / most))
    chosen = [*history[:-1][::step], *history[-1:]]
    return [[look.step, round(look.loss, 4), round(look.val, 4)] for look in chosen]


class _Clock:
    """How far the lesson is: by its steps, or by its time where the machine is too slow for all of them."""

    def __init__(self, report: Report, minutes: float, recipe: Recipe) -> None:
        self.recipe = recipe
        self._report, self._budget = report, 60.0 * minutes
        self._began: float | None = None
        self._first = 0
        self._before = 0.0  # seconds of earlier attempts

    def _seconds(self) -> float:
        return self._before + (0.0 if self._began is None else time.monotonic() - self._began)

    def tell(self, stage: str, done: int, total: int) -> None:
        if stage != "train":
            self._report(stage, done, total)
            return
        if self._began is None:
            self._began, self._first = time.monotonic(), done
        made, spent = done - self._first, time.monotonic() - self._began
        if made >= _MEASURED and done < total:
            left = max(0.0, self._budget - self._seconds())
            total = min(total, done + max(1, math.ceil(left * made / max(spent, 1e-3))))
        self._report(stage, done, total)

    def enough(self) -> bool:
        return self._report.enough or self._seconds() >= self._budget

    def looked(self, history: list[Look]) -> None:
        if self._began is None and history:
            self._before = history[-1].seconds
        self._report.show(facts={"history": curve(history), "steps": self.recipe.steps})
