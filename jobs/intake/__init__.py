"""Upload to checked artifact. Nothing here decodes a pixel: that is done in the inference child, which may be lost."""

from .picture import accept_picture, inspect_picture

__all__ = ["accept_picture", "inspect_picture"]
