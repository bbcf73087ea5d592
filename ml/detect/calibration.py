"""Temperatures, thresholds and bands, from a versioned file that `python -m ml evaluate` fits on the val split."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SHIPPED = Path(__file__).with_name("calibration.json")


def sigmoid(logit: float) -> float:
    """1 / (1 + exp(-logit)), without overflow at either end."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    return math.exp(logit) / (1.0 + math.exp(logit))


@dataclass(frozen=True, slots=True)
class Calibration:
    """How raw logits become probabilities, and probabilities levels.

    temperature, bias: per detector; its calibrated logit is (logit + bias) / temperature.
    weights: per detector; the fused logit is their weighted sum of calibrated logits.
    manipulated, authentic: a fused probability of at least the first is likely manipulated, of at most the second
        likely authentic, between them inconclusive.
    disagreement: detectors whose probabilities lie further apart than this disagree.
    flip_delta: a probability that leaves its side of the band by more than this on re-encoding is unstable; one that
        lands on the other side is so in any case.
    min_face_px: pixels of the face's longer side; min_sharpness: as `ml.detect.quality.sharpness`.
    interval: settings of the interval; "scale" multiplies its half-width in logits, "floor" is the least half-width.
    """

    version: str
    temperature: Mapping[str, float]
    weights: Mapping[str, float]
    manipulated: float
    authentic: float
    disagreement: float
    flip_delta: float
    min_face_px: float
    min_sharpness: float
    target_fpr: float
    bias: Mapping[str, float] = field(default_factory=dict)
    interval: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Calibration:
        """Read the parsed file. Raises ValueError that names what is missing or contradictory."""
        try:
            made = cls(
                version=str(content["version"]),
                temperature=_numbers(content["temperature"]),
                bias=_numbers(content.get("bias") or {}),
                weights=_numbers(content["fusion"]["weights"]),
                manipulated=float(content["bands"]["manipulated"]),
                authentic=float(content["bands"]["authentic"]),
                target_fpr=float(content["target_fpr"]),
                disagreement=float(content["disagreement"]),
                flip_delta=float(content["flip_delta"]),
                min_face_px=float(content["min_face_px"]),
                min_sharpness=float(content["min_sharpness"]),
                interval=_numbers(content.get("interval") or {}),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"the calibration lacks {error}") from error
        made._check()
        return made

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Calibration:
        """Read a calibration file."""
        return cls.from_json(json.loads(path.read_text(encoding="utf-8")))

    def _check(self) -> None:
        if not 0.0 <= self.authentic < self.manipulated <= 1.0:
            raise ValueError(f"bands must be 0 <= {self.authentic} < {self.manipulated} <= 1")
        if missing := set(self.weights) - set(self.temperature):
            raise ValueError(f"no temperature for {', '.join(sorted(missing))}")
        if any(value <= 0 for value in self.temperature.values()):
            raise ValueError("temperatures must be above 0")
        if not self.weights or sum(self.weights.values()) <= 0:
            raise ValueError("the fusion needs at least one detector with a weight above 0")

    def logit(self, detector: str, raw: float) -> float:
        """The calibrated logit of one detector's raw one."""
        return (raw + self.bias.get(detector, 0.0)) / self.temperature[detector]

    def fused_logit(self, raw: Mapping[str, float]) -> float:
        """The fused calibrated logit of P(manipulated); `raw` holds every weighted detector's raw logit."""
        return sum(weight * self.logit(name, raw[name]) for name, weight in self.weights.items())


def _numbers(content: Mapping[str, Any]) -> dict[str, float]:
    return {str(key): float(value) for key, value in content.items() if isinstance(value, int | float)}


@cache
def shipped() -> Calibration:
    """The calibration that belongs to the shipped weights."""
    return Calibration.load()
