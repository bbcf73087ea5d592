"""How long an enhancement takes, roughly: told before anybody waits for it, and the ground on which it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import catalogue
from .tasks import Task

if TYPE_CHECKING:
    from .catalogue import Method
    from .wishes import Wish

# Seconds of two cores for a megapixel that is sent, as `python -m benchmarks restore` measures them there.
FOREIGN: Final = 250.0  # a whole RRDBNet
GENERATIVE: Final = 15.0
TRAINED: Final = 3.0
CLASSICAL: Final = 0.5

FOREIGN_FACES: Final = 30.0  # seconds for DFDNet's square of 512 pixels, of which a picture has a few
FACES: Final = 2.0  # likewise for the network that ships


def at_once(method: Method | None, task: str) -> float:
    """Seconds whatever the picture's size: restored faces, each in a square of its own."""
    if task != Task.FACE:
        return 0.0
    return FOREIGN_FACES if method is None or method.is_imported else FACES


def per_megapixel(method: Method | None, task: str) -> float:
    """Seconds for a megapixel that is sent. Around restored faces a picture is enlarged, or left alone."""
    if task == Task.FACE:
        return TRAINED
    if method is None or method.is_imported:
        return FOREIGN
    if method.generative:
        return GENERATIVE
    return TRAINED if method.trained else CLASSICAL


def seconds(wish: Wish, width: int, height: int) -> float:
    """For all methods of a wish."""
    alone = wish.task == Task.FACE and (wish.scale or 1) == 1
    megapixels = 0.0 if alone else width * height / 1_000_000
    chosen = [catalogue.find(wish.task, name) for name in wish.methods]
    return sum(at_once(each, wish.task) + per_megapixel(each, wish.task) * megapixels for each in chosen)
