"""Figures on the pages are those of the evaluation's own tables: rounded, not cut off."""

import pytest

from detection.templatetags.measured import DASH, figure, in_hundred


@pytest.mark.parametrize(
    ("value", "shown"), [(0.70096, "0.701"), (0.9199, "0.920"), (0.0249, "0.025"), (0.5, "0.500"), (None, DASH)]
)
def test_figures_are_rounded(value: float | None, shown: str) -> None:
    assert figure(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0.08678, "8.7"), (0.0314, "3.1"), (0.5978, "60"), (0.0, "0"), (0.09951, "10"), (None, DASH)]
)
def test_shares_are_rounded(share: float | None, shown: str) -> None:
    assert in_hundred(share) == shown
