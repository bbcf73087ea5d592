"""Interleaved timing, and tables of what was found."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of every round of one candidate."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """First and third quartile."""
        low, _, high = statistics.quantiles(self.rounds, n=4)
        return low, high

    def ratio_to(self, other: Timing) -> float:
        """Median over rounds of this one's seconds over the other's, taken side by side in each round."""
        return statistics.median(a / b for a, b in zip(self.rounds, other.rounds, strict=True))


def interleave(candidates: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 2) -> dict[str, Timing]:
    """Time the candidates by turns, so that whatever else the machine does meets them all alike."""
    for _ in range(warm_up):
        for call in candidates.values():
            call()
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, call in candidates.items():
            start = time.perf_counter()
            call()
            found[name].append(time.perf_counter() - start)
    return {name: Timing(tuple(seconds)) for name, seconds in found.items()}


@dataclass(slots=True)
class Table:
    """One table of a benchmark, with what it measures said above and what was wanted below."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    about: str = ""
    held: list[tuple[str, bool]] = field(default_factory=list)

    def markdown(self) -> str:
        """The table as Markdown."""
        lines = [f"## {self.title}", ""]
        if self.about:
            lines += [self.about, ""]
        lines += ["| " + " | ".join(self.columns) + " |", "|" + " --- |" * len(self.columns)]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        lines += ["", *(f"- {'holds' if ok else '**does not hold**'}: {words}" for words, ok in self.held)]
        return "\n".join(lines).rstrip() + "\n"


def milliseconds(timing: Timing) -> str:
    """Median and quartiles in words."""
    low, high = timing.spread
    return f"{1e3 * timing.median:.1f} ms ({1e3 * low:.1f}-{1e3 * high:.1f})"
