"""The detectors' own score of what was made here, as the pages show it. The numbers: `handlers.judging`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

LEVELS = frozenset({"likely_manipulated", "inconclusive", "likely_authentic", "not_applicable"})


def _percent(value: float | None) -> int | None:
    return None if value is None else round(100 * value)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the detectors say of the pixels alone, and what the file says of itself. Named as the parts of a check are,
    so that the same scale and the same panel of origin show it; `before` is of what it was made from."""

    probability: float | None
    level: str
    detectors: dict[str, float] = field(default_factory=dict)
    judged: int = 0
    looked_at: int = 0
    before: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    interval: None = None

    @classmethod
    def read(cls, facts: dict[str, Any]) -> Self | None:
        """From a piece of work's facts; None where the detectors did not look, and for what cannot be read."""
        try:
            score = facts["score"]
            after, before = score["after"], score.get("before") or {}
            level = str(after["level"])
            return cls(
                probability=_chance(after["probability"]),
                level=level if level in LEVELS else "not_applicable",
                detectors={str(name): float(value) for name, value in (after.get("detectors") or {}).items()},
                judged=int(after.get("judged") or 0),
                looked_at=int(after.get("looked_at") or 0),
                before=_chance(before.get("probability")),
                provenance=dict(facts.get("provenance") or {}),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    @property
    def percent(self) -> int | None:
        return _percent(self.probability)

    @property
    def before_percent(self) -> int | None:
        return _percent(self.before)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Each detector's own answer, in a fixed order."""
        return [
            {"name": name, "probability": value, "percent": _percent(value)}
            for name, value in sorted(self.detectors.items())
        ]


def _chance(value: Any) -> float | None:
    return None if value is None else min(1.0, max(0.0, float(value)))
