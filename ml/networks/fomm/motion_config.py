"""How large a motion model is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """The sizes of the three networks; the default is ``vox-256`` of the authors (60 million parameters).

    ``size``: pixels a side of the square pictures. ``shrink``: how many times smaller the keypoint and motion networks
    see them (their ``scale_factor`` is its inverse). ``*_features`` and ``*_limit``: channels of the first level and
    the most of any. ``temperature`` of the keypoint softmax; ``variance`` of the gaussian that draws a keypoint.
    ``keeps_source``: the generator mixes the moved source into what it paints (not in ``vox-256``).
    """

    size: int = 256
    keypoints: int = 10
    shrink: int = 4
    levels: int = 5
    keypoint_features: int = 32
    keypoint_limit: int = 1024
    motion_features: int = 64
    motion_limit: int = 1024
    generator_features: int = 64
    generator_limit: int = 512
    generator_levels: int = 2
    generator_blocks: int = 6
    temperature: float = 0.1
    variance: float = 0.01
    keeps_source: bool = False

    def __post_init__(self) -> None:
        if self.size % (self.shrink * 2**self.levels) or self.size % 2**self.generator_levels:
            raise ValueError(f"{self.size} pixels shrunk {self.shrink} times cannot be halved {self.levels} times")
        if self.inner_size <= 6:
            raise ValueError(f"{self.inner_size} pixels are too few for a 7x7 window without padding")

    @property
    def inner_size(self) -> int:
        """Return the side of what the keypoint and motion networks see."""
        return self.size // self.shrink


VOX_256 = MotionConfig()
SLIM_128 = MotionConfig(
    size=128,
    shrink=2,
    keypoint_features=16,
    keypoint_limit=256,
    motion_features=32,
    motion_limit=256,
    generator_features=32,
    generator_limit=128,
    generator_blocks=4,
)
SLIMMER_128 = MotionConfig(
    size=128,
    shrink=4,
    keypoint_features=16,
    keypoint_limit=128,
    motion_features=16,
    motion_limit=128,
    generator_features=24,
    generator_limit=64,
    generator_blocks=4,
)
SHIPPED_128 = MotionConfig(
    size=128,
    shrink=2,
    keypoint_features=16,
    keypoint_limit=128,
    motion_features=16,
    motion_limit=128,
    generator_features=24,
    generator_limit=64,
    generator_blocks=4,
    keeps_source=True,
)
