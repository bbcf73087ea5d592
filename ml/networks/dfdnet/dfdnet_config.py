"""How large a DFDNet is."""

from __future__ import annotations

from dataclasses import dataclass

PARTS = ("left_eye", "right_eye", "nose", "mouth")
PART_SIZES_512 = (80, 80, 50, 110)
_WIDTHS = (2, 4, 8, 8)  # channels of the four taps, in units of `features`


@dataclass(frozen=True, slots=True)
class DFDNetConfig:
    """The sizes of a DFDNet; the default is the authors' network for 512 pixels.

    ``size``: side of the pictures. ``features``: channels at full size (the encoder has 1, 2, 4, 8, 8 times as many).
    ``part_sizes``: sides of the patches that the dictionary knows, at full size, in the order of ``PARTS``.
    """

    size: int = 512
    features: int = 64
    part_sizes: tuple[int, int, int, int] = PART_SIZES_512

    @classmethod
    def of(cls, size: int, features: int) -> DFDNetConfig:
        """Size the patches of another network as the authors' are sized for 512 pixels (for 256: 40, 40, 25, 55)."""
        left, right, nose, mouth = (side * size // 512 for side in PART_SIZES_512)
        return cls(size, features, (left, right, nose, mouth))

    @property
    def scales(self) -> tuple[int, int, int, int]:
        """Return the sides of the four feature maps, largest first: 256, 128, 64, 32 for 512 pixels."""
        return (self.size // 2, self.size // 4, self.size // 8, self.size // 16)

    def channels(self, scale: int) -> int:
        """Return the channels of the feature map of side ``scale``."""
        return self.features * _WIDTHS[self.scales.index(scale)]

    def entry_side(self, scale: int, part: str) -> int:
        """Return the side of a dictionary entry of ``part`` on the feature map of side ``scale``."""
        return self.part_sizes[PARTS.index(part)] * scale // self.size


DFDNET_512 = DFDNetConfig()
