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

FORMAT = 2
"""Of the file. 1 had neither a format nor generated faces, and measured disagreement otherwise."""


def sigmoid(logit: float) -> float:
    """1 / (1 + exp(-logit)), without overflow at either end."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    return math.exp(logit) / (1.0 + math.exp(logit))


@dataclass(frozen=True, slots=True)
class Generated:
    """When a face is said to be wholly generated: a signal of its own beside the fusion.

    detector: whose calibrated probability it is. threshold: from here on the face is said to be generated.
    doubt: from here on it is not called authentic.
    """

    detector: str
    threshold: float
    doubt: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How raw logits become probabilities, and probabilities levels.

    temperature, bias: per detector; its calibrated logit is (logit + bias) / temperature.
    weights, offset: the fused logit is the weighted sum of calibrated logits plus the offset.
    manipulated, authentic: a fused probability of at least the first is likely manipulated, of at most the second
        likely authentic, between them inconclusive.
    generated: the signal for wholly generated faces; None where no detector gives it.
    disagreement: the largest share of the evidence that may speak against the verdict; see `opposition`.
    dissent: a face is not called authentic when any detector of swaps, heard by the fusion or not, gives it this much.
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
    offset: float = 0.0
    dissent: float = 1.0
    generated: Generated | None = None

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Calibration:
        """Read the parsed file. Raises ValueError that names what is missing, contradictory, or of another format."""
        if (found := content.get("format", 1)) != FORMAT:
            raise ValueError(
                f"the calibration is of format {found}, this program reads {FORMAT}: make it anew with "
                "`python -m ml evaluate detectors --calibrate`"
            )
        try:
            signal = content.get("generated")
            made = cls(
                version=str(content["version"]),
                temperature=_numbers(content["temperature"]),
                bias=_numbers(content.get("bias") or {}),
                weights=_numbers(content["fusion"]["weights"]),
                offset=float(content["fusion"].get("offset", 0.0)),
                manipulated=float(content["bands"]["manipulated"]),
                authentic=float(content["bands"]["authentic"]),
                generated=Generated(str(signal["detector"]), float(signal["threshold"]), float(signal["doubt"]))
                if signal
                else None,
                target_fpr=float(content["target_fpr"]),
                disagreement=float(content["disagreement"]),
                dissent=float(content.get("dissent", 1.0)),
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
        if missing := set(self.detectors) - set(self.temperature):
            raise ValueError(f"no temperature for {', '.join(sorted(missing))}")
        if any(value <= 0 for value in self.temperature.values()):
            raise ValueError("temperatures must be above 0")
        if any(value < 0 for value in self.weights.values()) or sum(self.weights.values()) <= 0:
            raise ValueError("the fusion needs at least one detector with a weight above 0, and none below")
        if self.generated is not None and not 0.0 <= self.generated.doubt <= self.generated.threshold <= 1.0:
            raise ValueError("the thresholds for generated faces must be 0 <= doubt <= threshold <= 1")

    @property
    def detectors(self) -> tuple[str, ...]:
        """Every detector that this calibration knows how to read, the fused ones first."""
        return tuple(dict.fromkeys((*self.weights, *([self.generated.detector] if self.generated else []))))

    def logit(self, detector: str, raw: float) -> float:
        """The calibrated logit of one detector's raw one."""
        return (raw + self.bias.get(detector, 0.0)) / self.temperature[detector]

    def heard(self, raw: Mapping[str, float]) -> dict[str, float]:
        """The weight of each fused detector that has a raw logit here.

        Where detectors are missing, the others take over their weight; where only such are left that the fusion does
        not listen to, all count alike. Raises ValueError where none is left.
        """
        here = {name: weight for name, weight in self.weights.items() if name in raw}
        if not here:
            raise ValueError(f"none of the fused detectors has a logit: {', '.join(self.weights)}")
        total = sum(here.values())
        if total <= 0:
            return dict.fromkeys(here, 1.0 / len(here))
        scale = sum(self.weights.values()) / total
        return {name: scale * weight for name, weight in here.items()}

    def parts(self, raw: Mapping[str, float]) -> dict[str, float]:
        """What each detector adds to the fused logit, by its weight as `heard`."""
        return {name: weight * self.logit(name, raw[name]) for name, weight in self.heard(raw).items()}

    def fused_logit(self, raw: Mapping[str, float]) -> float:
        """The fused calibrated logit of P(manipulated), the face being a photograph at all."""
        return sum(self.parts(raw).values()) + self.offset

    def generated_probability(self, raw: Mapping[str, float]) -> float | None:
        """P(wholly generated); None where nothing measures it."""
        if self.generated is None or self.generated.detector not in raw:
            return None
        return sigmoid(self.logit(self.generated.detector, raw[self.generated.detector]))

    def probability(self, raw: Mapping[str, float]) -> float:
        """P(manipulated) as it is shown: the fused one, or that of a generated face where it is over its threshold."""
        fused = sigmoid(self.fused_logit(raw))
        generated = self.generated_probability(raw)
        if self.generated is None or generated is None or generated < self.generated.threshold:
            return fused
        return max(fused, generated)


def _numbers(content: Mapping[str, Any]) -> dict[str, float]:
    return {str(key): float(value) for key, value in content.items() if isinstance(value, int | float)}


@cache
def shipped() -> Calibration:
    """The calibration that belongs to the shipped weights."""
    return Calibration.load()
