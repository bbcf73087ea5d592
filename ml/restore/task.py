"""What can be done to a picture here."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    """One kind of enhancement. Upscaling changes the size, the others keep it."""

    UPSCALE = "upscale"
    DENOISE = "denoise"
    DEBLUR = "deblur"
    JPEG = "jpeg"
