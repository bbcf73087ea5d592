"""The built-in motions of animation: paths that nobody was filmed for, so that a driver of one's own is not needed.

Their catalogue is data of the animation engine, read here as such; what it moves is `ml.animate.drivers`' business.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from pathlib import Path

    from django_stubs_ext import StrOrPromise

logger = logging.getLogger(__name__)

PREFIX: Final = "motion:"  # before the slug, where a built-in person's slug would stand
ROLE: Final = "driver"

# The catalogue says its names in English; here they can be translated.
NAMES: Final[dict[str, StrOrPromise]] = {
    "nod": _("Nod"),
    "turn": _("Turn the head"),
    "blink": _("Blink"),
    "speak": _("Speak"),
}


@dataclass(frozen=True, slots=True)
class Motion:
    """`preview`: a moving picture below `static/`, empty where there is none."""

    slug: str
    name: StrOrPromise
    seconds: float
    preview: str = ""

    @property
    def identity(self) -> str:
        return f"{PREFIX}{self.slug}"


def motions() -> tuple[Motion, ...]:
    """All there are, in the order in which they are offered."""
    return _read(settings.BASE_DIR / "ml" / "animate" / "drivers.json")


def find(identity: str) -> Motion | None:
    """By `motion:<slug>`."""
    return next((motion for motion in motions() if motion.identity == identity), None)


@lru_cache(maxsize=4)
def _read(path: Path) -> tuple[Motion, ...]:
    """A catalogue that cannot be read is logged: clips of one's own still drive."""
    try:
        return tuple(
            Motion(line["slug"], NAMES.get(line["slug"], line["name"]), float(line["seconds"]), _shown(line))
            for line in json.loads(path.read_text(encoding="utf-8"))
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        logger.error("the catalogue of built-in motions cannot be read: %s", error)
        return ()


def _shown(line: dict[str, str]) -> str:
    """The preview, where the file is there: a page does not promise a picture that is missing."""
    preview = str(line.get("preview", ""))
    return preview if preview and (settings.BASE_DIR / "static" / preview).is_file() else ""
