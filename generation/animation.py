"""The kind of job that moves a portrait. What it does: `generation.handlers.animating`."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from .making import generating_kind

NAME: Final = "animation"
PORTRAIT: Final = "portrait"
DRIVER: Final = "driver"

ANIMATION: Final = generating_kind(
    name=NAME,
    label=_("Animation"),
    handler="generation.handlers.animating.animate",
    roles=(PORTRAIT, DRIVER),
    stages=(
        ("people", _("Looking at who is shown"), 0.08),
        ("decode", _("Reading"), 0.04),
        ("faces", _("Following the face"), 0.14),
        ("keypoints", _("Reading the movement"), 0.12),
        ("animate", _("Moving the portrait"), 0.5),
        ("seal", _("Sealing what is shown beside it"), 0.06),
        ("judge", _("Asking the detectors"), 0.06),
    ),
    deadline_seconds=1200.0,
    lasting=True,
    long=True,
)
