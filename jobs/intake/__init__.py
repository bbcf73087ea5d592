"""Upload to checked artifact. Nothing here decodes a pixel: that is done in the inference child, which may be lost."""

from .naming import plain_line
from .picture import accept_picture, inspect_picture
from .video import accept_video, inspect_video, is_video

__all__ = ["accept_picture", "accept_video", "inspect_picture", "inspect_video", "is_video", "plain_line"]
