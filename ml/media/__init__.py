"""Files in, pixel arrays out, and back."""

from ml.media.picture import Picture, decode, encode_jpeg, encode_png

__all__ = ["Picture", "decode", "encode_jpeg", "encode_png"]
