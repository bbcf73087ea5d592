"""A small real generating kind for tests: mirrors the face of a picture, through every safeguard there is."""

from __future__ import annotations

from generation.making import generating_kind

NAME = "mirror"

MIRROR = generating_kind(
    name=NAME,
    label="Mirror (tests)",
    handler="tests.generation.mirror_handler.mirror",
    roles=("target",),
    stages=(("mirror", "Mirroring", 1.0),),
    deadline_seconds=60.0,
)
