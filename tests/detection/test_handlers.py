"""The detectors' side of a check job: plain answers out, the person's errors told, cancellation let through."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from detection import handlers
from detection.exchange import CheckJobRequest, CheckJobResult
from jobs.errors import Cancelled, PersonError
from tests.ml.conftest import calibration, finder, predictor, random_checker, random_models  # noqa: F401

if TYPE_CHECKING:
    from pathlib import Path

    from ml.detect.check import Checker


@pytest.fixture
def here(random_checker: Checker, monkeypatch: pytest.MonkeyPatch) -> Checker:  # noqa: F811
    from ml.detect import check

    monkeypatch.setattr(check, "checker", lambda: random_checker)
    return random_checker


def quiet(stage: str, done: int, total: int) -> None:
    pass


def types_in(value: Any) -> set[type]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [getattr(value, field.name) for field in dataclasses.fields(value)]
        return {type(value)}.union(*map(types_in, fields))
    if isinstance(value, dict):
        return {dict}.union(*map(types_in, [*value, *value.values()]))
    if isinstance(value, tuple | list):
        return {type(value)}.union(*map(types_in, value))
    return {type(value)}


def test_a_photo_becomes_plain_values(here: Checker, astronaut_file: Path) -> None:
    result = handlers.check(CheckJobRequest(astronaut_file, explain=True), quiet)
    (face,) = result.faces
    assert types_in(result) <= {
        CheckJobResult, type(face), tuple, dict, list, str, int, float, bool, bytes, type(None)
    }, "a NumPy number or an enumeration of ml would not cross to the site"  # fmt: skip
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301
    assert face.gradcam_jpeg is not None
    assert face.probability == result.probability


def test_the_same_request_gives_what_the_check_gives(here: Checker, astronaut_file: Path) -> None:
    from ml.detect.check import CheckRequest

    direct = here.run(CheckRequest(astronaut_file), quiet)
    result = handlers.check(CheckJobRequest(astronaut_file, explain=False), quiet)
    ours = [(f.box, f.level, f.probability, f.detectors, f.quality, f.reason_code) for f in result.faces]
    assert ours == [(f.box, f.level, f.probability, f.detectors, f.quality, f.reason_code) for f in direct.faces]
    assert (result.level, result.interval, result.reason) == (direct.level, direct.interval, direct.reason)


def test_the_persons_error_is_told_to_the_person(here: Checker, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff and no more")
    with pytest.raises(PersonError) as caught:
        handlers.check(CheckJobRequest(path), quiet)
    assert caught.value.code == "truncated"
    assert caught.value.message.endswith(".")


def test_a_cancelled_job_stops_at_once(here: Checker, astronaut_file: Path) -> None:
    seen: list[str] = []

    def report(stage: str, done: int, total: int) -> None:
        seen.append(stage)
        if stage == "faces":
            raise Cancelled

    with pytest.raises(Cancelled):
        handlers.check(CheckJobRequest(astronaut_file), report)
    assert seen[-1] == "faces"
    assert "detectors" not in seen


def test_the_site_can_name_the_handlers_without_loading_detectors() -> None:
    code = "import sys, detection.handlers; print(sorted({'ml', 'numpy', 'django'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
