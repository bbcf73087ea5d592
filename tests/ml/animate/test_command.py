"""python -m ml animate: refused without a record of consent; with one, handed to the site and to nothing else."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from ml import handover
from ml.__main__ import main
from ml.animate import command


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    lines: list[list[str]] = []

    def run(words: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        lines.append(words)
        return subprocess.CompletedProcess(words, 3)

    monkeypatch.setattr(handover.subprocess, "run", run)
    return lines


@pytest.mark.parametrize("given", [[], ["--consent", ""], ["--consent", "yes"], ["--consent", "0"]])
def test_nobody_is_animated_without_a_record(
    given: list[str], handed: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["animate", "ann.jpg", str(tmp_path / "out.mp4"), "--built-in", "nod", "--affirm", *given]) == 2
    assert "record of consent" in capsys.readouterr().err
    assert handed == []


def test_with_a_number_everything_goes_to_the_site(handed: list[list[str]], tmp_path: Path) -> None:
    number = str(uuid.uuid4())
    line = ["animate", "ann.jpg", str(tmp_path / "out.mp4"), "--consent", number]
    assert main([*line, "--built-in", "nod", "--affirm", "--movement", "1.5"]) == 3
    assert main([*line, "--driver", "clip.mp4", "--driver-consent", number]) == 3
    by_motion, by_clip = handed
    assert by_motion[:3] == [sys.executable, str(Path(command.__file__).parents[2] / "manage.py"), "animate"]
    assert Path(by_motion[1]).is_file()
    assert by_motion[by_motion.index("--consent") + 1] == number
    assert {"--affirm", "--movement", "1.5", "--built-in", "nod"} <= set(by_motion)
    assert "--affirm" not in by_clip
    assert by_clip[by_clip.index("--driver") + 1] == "clip.mp4"
    assert by_clip[by_clip.index("--driver-consent") + 1] == number


def test_one_driver_is_asked_for(handed: list[list[str]]) -> None:
    number = str(uuid.uuid4())
    for more in ([], ["--built-in", "dance"], ["--built-in", "nod", "--driver", "a.mp4"]):
        with pytest.raises(SystemExit):
            main(["animate", "ann.jpg", "out.mp4", "--consent", number, *more])
    assert handed == []
