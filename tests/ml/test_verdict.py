"""The verdict: levels, abstentions and their order, the interval, and what a picture takes from its faces."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.detect.calibration import Calibration, sigmoid
from ml.detect.verdict import (
    SENTENCES,
    Evidence,
    Level,
    Reason,
    Verdict,
    interval,
    judge,
    opposition,
    untouched,
    worst,
)
from tests.ml.conftest import ALL_DETECTORS, CALIBRATION

PLAIN = Calibration.from_json({**CALIBRATION, "temperature": {"meso4": 1.0, "mesoinception4": 1.0}, "bias": {}})


def seen(meso4: float, inception: float, reencoded: float | None = None, mirrored: float | None = None) -> Evidence:
    plain = {"meso4": meso4, "mesoinception4": inception}

    def both(value: float | None) -> dict[str, float]:
        return plain if value is None else {"meso4": value, "mesoinception4": value}

    return Evidence(plain, both(mirrored), both(reencoded))


@pytest.mark.parametrize(
    ("evidence", "level", "reason"),
    [
        (seen(3, 3), Level.LIKELY_MANIPULATED, Reason.MANIPULATED),
        (seen(-3, -3), Level.LIKELY_AUTHENTIC, Reason.AUTHENTIC),
        (seen(0.5, 0.5), Level.INCONCLUSIVE, Reason.BETWEEN),
        (seen(9, -5), Level.INCONCLUSIVE, Reason.DISAGREE),
        (seen(-9, 5), Level.INCONCLUSIVE, Reason.DISAGREE),
        (seen(9, -2), Level.LIKELY_MANIPULATED, Reason.MANIPULATED),
        (seen(4, -4), Level.INCONCLUSIVE, Reason.BETWEEN),
        (seen(3, 3, reencoded=-3), Level.INCONCLUSIVE, Reason.UNSTABLE),
        (seen(3, 3, reencoded=0.5), Level.INCONCLUSIVE, Reason.UNSTABLE),
        (seen(3, 3, reencoded=2), Level.LIKELY_MANIPULATED, Reason.MANIPULATED),
        (seen(9, 9, reencoded=1.4), Level.LIKELY_MANIPULATED, Reason.MANIPULATED),
        (seen(1.5, 1.5, reencoded=1.3), Level.LIKELY_MANIPULATED, Reason.MANIPULATED),
    ],
)
def test_levels(evidence: Evidence, level: Level, reason: Reason) -> None:
    verdict = judge(evidence, sharpness=0.3, calibration=PLAIN)
    assert (verdict.level, verdict.reason) == (level, reason)
    logit = sum(evidence.plain.values()) / 2
    assert verdict.probability == pytest.approx(1 / (1 + math.exp(-logit)))


def test_bands_hold_at_their_very_edges() -> None:
    edge = math.log(0.8 / 0.2)
    at = replace(PLAIN, manipulated=sigmoid(edge), authentic=sigmoid(-edge))
    assert judge(seen(edge, edge), 0.3, at).level is Level.LIKELY_MANIPULATED
    assert judge(seen(-edge, -edge), 0.3, at).level is Level.LIKELY_AUTHENTIC
    assert judge(seen(edge - 1e-6, edge - 1e-6), 0.3, at).level is Level.INCONCLUSIVE


def test_a_flip_of_sides_is_unstable_however_wide_the_allowance() -> None:
    lax = replace(PLAIN, flip_delta=1.0)
    assert judge(seen(3, 3, reencoded=-3), 0.3, lax).reason is Reason.UNSTABLE
    assert judge(seen(3, 3, reencoded=0.1), 0.3, lax).reason is Reason.MANIPULATED


def test_a_detector_without_weight_has_no_veto() -> None:
    alone = replace(PLAIN, weights={"meso4": 1.0, "mesoinception4": 0.0})
    assert judge(seen(9, -6), 0.3, alone).reason is Reason.MANIPULATED
    assert judge(seen(9, -6), 0.3, PLAIN).reason is Reason.DISAGREE
    assert opposition({"meso4": 9, "mesoinception4": -6}, PLAIN) == pytest.approx(6 / 15)
    assert opposition({"meso4": -9, "mesoinception4": 6}, PLAIN) == pytest.approx(6 / 15)
    assert opposition({"meso4": 0.0, "mesoinception4": 0.0}, PLAIN) == 0.0


WITH_GENERATED = Calibration.from_json(
    {**ALL_DETECTORS, "temperature": dict.fromkeys(ALL_DETECTORS["temperature"], 1.0), "bias": {}}
)


def face(swapped: float, generated: float, again: float | None = None) -> Evidence:
    looks = [
        {"meso4": swapped, "mesoinception4": swapped, "boundary": swapped, "synthesis": value}
        for value in (generated, generated, generated if again is None else again)
    ]
    return Evidence(looks[0], looks[1], looks[2])


@pytest.mark.parametrize(
    ("evidence", "level", "reason"),
    [
        (face(-3, -3), Level.LIKELY_AUTHENTIC, Reason.AUTHENTIC),
        (face(-3, 3), Level.LIKELY_MANIPULATED, Reason.GENERATED),
        (face(0, 3), Level.LIKELY_MANIPULATED, Reason.GENERATED),
        (face(3, 3), Level.LIKELY_MANIPULATED, Reason.MANIPULATED),
        (face(-3, 1), Level.INCONCLUSIVE, Reason.PERHAPS_GENERATED),
        (face(-3, 3, again=0.0), Level.INCONCLUSIVE, Reason.PERHAPS_GENERATED),
        (face(0, 1), Level.INCONCLUSIVE, Reason.BETWEEN),
        (face(3, 1), Level.LIKELY_MANIPULATED, Reason.MANIPULATED),
    ],
)
def test_a_generated_face_is_a_signal_of_its_own(evidence: Evidence, level: Level, reason: Reason) -> None:
    verdict = judge(evidence, 0.3, WITH_GENERATED)
    assert (verdict.level, verdict.reason) == (level, reason)
    decides = "synthesis" if reason is Reason.GENERATED else None
    expected = evidence.plain["synthesis"] if decides else WITH_GENERATED.fused_logit(evidence.plain)
    assert verdict.probability == pytest.approx(sigmoid(expected))
    assert verdict.interval is not None
    assert verdict.interval[0] <= verdict.probability <= verdict.interval[1]


def test_the_fusion_holds_when_a_detector_is_missing() -> None:
    raw = {"meso4": 2.0, "mesoinception4": 2.0, "boundary": 2.0, "synthesis": -1.0}
    assert WITH_GENERATED.fused_logit(raw) == pytest.approx(1.5 * 2.0 + 0.1)
    for name in ("meso4", "mesoinception4", "boundary"):
        rest = {key: value for key, value in raw.items() if key != name}
        assert WITH_GENERATED.fused_logit(rest) == pytest.approx(1.5 * 2.0 + 0.1), "the others take over its weight"
        judge(Evidence(rest, rest, rest), 0.3, WITH_GENERATED)
    without = {key: value for key, value in raw.items() if key != "synthesis"}
    assert WITH_GENERATED.generated_probability(without) is None
    assert judge(Evidence(without, without, without), 0.3, WITH_GENERATED).reason is Reason.MANIPULATED
    unheard = replace(WITH_GENERATED, weights={"meso4": 0.0, "mesoinception4": 0.0, "boundary": 1.0})
    left = {"meso4": 3.0, "mesoinception4": 1.0}
    assert unheard.fused_logit(left) == pytest.approx(2.0 + 0.1), "what is left counts alike"
    judge(Evidence(left, left, left), 0.3, unheard)
    with pytest.raises(ValueError, match="none of the fused"):
        WITH_GENERATED.fused_logit({"synthesis": 1.0})


def test_a_weak_detector_that_is_sure_keeps_a_face_from_being_called_authentic() -> None:
    alone = replace(PLAIN, weights={"meso4": 1.0, "mesoinception4": 0.0}, dissent=0.9)
    assert judge(seen(-4, 2.0), 0.3, alone).reason is Reason.AUTHENTIC
    assert judge(seen(-4, 2.5), 0.3, alone).reason is Reason.DISAGREE
    assert judge(seen(4, -9), 0.3, alone).reason is Reason.MANIPULATED, "its silence is no veto"


def test_the_shown_probability_is_that_of_the_signal_that_decides() -> None:
    assert WITH_GENERATED.probability(face(-3, 3).plain) == pytest.approx(sigmoid(3.0))
    assert WITH_GENERATED.probability(face(-3, 1).plain) == pytest.approx(sigmoid(-4.4))
    assert PLAIN.probability({"meso4": 1.0, "mesoinception4": 1.0}) == pytest.approx(sigmoid(1.0))


def test_a_signed_statement_decides_and_the_scores_stay() -> None:
    fine = Verdict(Level.LIKELY_AUTHENTIC, Reason.AUTHENTIC, 0.1, (0.05, 0.2))
    said = worst([fine], says_generated=True)
    assert said == Verdict(Level.LIKELY_MANIPULATED, Reason.PROVENANCE, 0.1, (0.05, 0.2))
    assert worst([], says_generated=True).level is Level.LIKELY_MANIPULATED


def test_blur_and_smallness_come_first() -> None:
    verdict = judge(seen(4, 4), sharpness=0.01, calibration=PLAIN)
    assert (verdict.level, verdict.reason) == (Level.INCONCLUSIVE, Reason.BLURRED)
    small = untouched(47.9, PLAIN)
    assert small == Verdict(Level.NOT_APPLICABLE, Reason.TOO_SMALL)
    assert untouched(48.0, PLAIN) is None


def test_temperature_and_bias_are_applied() -> None:
    made = Calibration.from_json(CALIBRATION)
    assert made.logit("meso4", 1.75) == pytest.approx(1.0)
    assert made.fused_logit({"meso4": 1.75, "mesoinception4": 3.0}) == pytest.approx(1.5)


logits = st.floats(-20, 20)


@given(logits, logits, logits, logits)
def test_interval_holds_the_probability_and_grows_with_doubt(a: float, b: float, mirrored: float, again: float) -> None:
    evidence = seen(a, b, reencoded=again, mirrored=mirrored)
    low, high = interval(evidence, PLAIN)
    p = sigmoid(PLAIN.fused_logit(evidence.plain))
    assert 0.0 <= low <= p <= high <= 1.0
    steady = interval(seen((a + b) / 2, (a + b) / 2), PLAIN)
    assert steady == pytest.approx((p, p))
    doubled = interval(evidence, replace(PLAIN, interval={"scale": 2.0}))
    assert doubled[0] <= low
    assert doubled[1] >= high


def test_interval_adds_its_three_parts_in_quadrature() -> None:
    low, high = interval(seen(4.0, -2.0, mirrored=5.0, reencoded=13.0), PLAIN)
    half = math.sqrt(3.0**2 + 4.0**2 + 12.0**2)
    assert low == pytest.approx(sigmoid(1.0 - half))
    assert high == pytest.approx(sigmoid(1.0 + half))
    stretched = replace(PLAIN, weights={"meso4": 1.0, "mesoinception4": 1.0})
    assert interval(seen(4.0, -2.0), stretched) == pytest.approx((sigmoid(2.0 - 6.0), sigmoid(2.0 + 6.0)))
    floored = interval(seen(0, 0), replace(PLAIN, interval={"floor": 1.0}))
    assert floored == pytest.approx((sigmoid(-1.0), sigmoid(1.0)))


def test_the_picture_takes_its_worst_face() -> None:
    fine = Verdict(Level.LIKELY_AUTHENTIC, Reason.AUTHENTIC, 0.1)
    worse = Verdict(Level.LIKELY_AUTHENTIC, Reason.AUTHENTIC, 0.15)
    unsure = Verdict(Level.INCONCLUSIVE, Reason.DISAGREE, 0.9)
    fake = Verdict(Level.LIKELY_MANIPULATED, Reason.MANIPULATED, 0.85)
    small = Verdict(Level.NOT_APPLICABLE, Reason.TOO_SMALL)
    assert worst([fine, fake, unsure, small]) is fake
    assert worst([fine, unsure]) is unsure
    assert worst([small, fine, worse]) is worse
    assert worst([small]) is small
    assert worst([]).reason is Reason.NO_FACE


def test_every_reason_has_a_plain_sentence() -> None:
    for reason in Reason:
        assert SENTENCES[reason].endswith(".")
        assert "_" not in SENTENCES[reason]


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in CALIBRATION.items() if name != key}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (without("bands"), "bands"),
        (without("flip_delta"), "flip_delta"),
        ({**CALIBRATION, "bands": {"manipulated": 0.2, "authentic": 0.8}}, "bands"),
        ({**CALIBRATION, "temperature": {"meso4": 1.0}}, "mesoinception4"),
        ({**CALIBRATION, "temperature": {"meso4": 0.0, "mesoinception4": 1.0}}, "above 0"),
        ({**CALIBRATION, "fusion": {"weights": {}}}, "at least one"),
        ({**CALIBRATION, "fusion": {"weights": {"meso4": 2.0, "mesoinception4": -0.5}}}, "none below"),
        ({**ALL_DETECTORS, "generated": {"detector": "synthesis", "threshold": 0.5, "doubt": 0.6}}, "doubt"),
        ({**ALL_DETECTORS, "generated": {"detector": "other", "threshold": 0.9, "doubt": 0.6}}, "other"),
        ({**ALL_DETECTORS, "generated": {"detector": "synthesis", "threshold": 0.5}}, "doubt"),
        (without("format"), "format 1"),
        ({**CALIBRATION, "format": 3}, "format 3.*evaluate detectors --calibrate"),
    ],
)
def test_a_faulty_calibration_is_refused_by_name(content: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Calibration.from_json(content)


@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_sigmoid_at_the_ends(far: float) -> None:
    assert sigmoid(far) == (1.0 if far > 0 else 0.0)
