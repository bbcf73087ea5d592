"""What can be done to a picture here."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    """One kind of enhancement. Upscaling changes the size, faces may be restored in an enlarged picture too."""

    UPSCALE = "upscale"
    FACE = "face"
    DENOISE = "denoise"
    DEBLUR = "deblur"
    JPEG = "jpeg"
