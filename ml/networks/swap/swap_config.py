"""How large a face-swap network is, and of which family."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """ORIGINAL: FakeApp's autoencoder, as faceswap keeps it. DF and LIAE: DeepFaceLab's (Perov et al. 2020)."""

    ORIGINAL = "original"
    DF = "df"
    LIAE = "liae"


@dataclass(frozen=True, slots=True)
class SwapConfig:
    """The sizes of one network.

    ``size``: pixels a side of the square faces, a multiple of 16 (32 when doubled). ``encoder``: channels of the first
    convolution, doubled by each of the three that follow. ``bottleneck``: length of the dense code. ``unfolded``:
    channels of the map that it is unfolded into, where they are not as many. ``decoder`` and ``mask``: DeepFaceLab's
    ``d_dims`` and ``d_mask_dims``, from which the widths of the stages follow; ``mask=None`` leaves the branch out.
    ``doubled``: DeepFaceLab's option "d": the decoder works at half the size and its last convolutions write four
    pixels each, which costs a quarter.
    """

    family: Family
    size: int
    encoder: int
    bottleneck: int
    decoder: int
    mask: int | None = None
    doubled: bool = False
    unfolded: int | None = None

    def __post_init__(self) -> None:
        if self.doubled and self.family is Family.ORIGINAL:
            raise ValueError("the original network has no doubled form")
        step = 32 if self.doubled else 16
        if self.size < step or self.size % step:
            raise ValueError(f"{self.size} pixels are no multiple of {step}")
        if min(self.encoder, self.bottleneck, self.decoder, 1 if self.mask is None else self.mask) < 1:
            raise ValueError("every part needs at least one channel")

    @property
    def low(self) -> int:
        """Side of the map into which the code is unfolded."""
        return self.size // (32 if self.doubled else 16)

    @property
    def code_channels(self) -> int:
        """Channels of one intermediate block's output, (N, 2 * low, 2 * low, channels)."""
        match self.family:
            case Family.ORIGINAL:
                return 4 * self.encoder
            case Family.DF:
                return self.unfolded or self.bottleneck
            case Family.LIAE:
                return 2 * (self.unfolded or self.bottleneck)


ORIGINAL_64 = SwapConfig(Family.ORIGINAL, size=64, encoder=128, bottleneck=1024, decoder=64)
DF_128 = SwapConfig(Family.DF, size=128, encoder=64, bottleneck=256, decoder=64, mask=22)
LIAE_128 = SwapConfig(Family.LIAE, size=128, encoder=64, bottleneck=256, decoder=64, mask=22)
SWAP_96 = SwapConfig(Family.DF, size=96, encoder=32, bottleneck=256, decoder=20, mask=8, doubled=True, unfolded=128)
