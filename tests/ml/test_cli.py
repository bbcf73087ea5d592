"""The command line, as a person or a script runs it: a process, its stdout, and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ml", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=280
    )


def answers(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_photos_become_one_json_object_a_line(astronaut_file: Path, faceless_jpeg: bytes, tmp_path: Path) -> None:
    faceless, text = tmp_path / "gradient.jpg", tmp_path / "notes.jpg"
    faceless.write_bytes(faceless_jpeg)
    text.write_text("no picture")
    done = run("check", astronaut_file, faceless, text, tmp_path / "missing.png", "--json")
    face, nobody, broken, missing = answers(done)
    assert face["path"] == str(astronaut_file)
    assert face["level"] in {"likely_manipulated", "inconclusive", "likely_authentic"}
    assert 0 <= face["probability"] <= 1
    assert len(face["faces"]) == 1
    assert face["faces"][0]["probability"] == face["probability"]
    assert set(face["faces"][0]["detectors"]) >= {"meso4", "mesoinception4", "boundary"}
    assert all(isinstance(edge, int) for edge in face["faces"][0]["box"])
    assert face["seconds"] > 0
    for answer, code in ((nobody, "no_face"), (broken, "not_an_image"), (missing, "unreadable")):
        assert answer["level"] == "not_applicable"
        assert answer["probability"] is None
        assert answer["faces"] == []
        assert answer["reason_code"] == code
        assert answer["reason"].endswith(".")


def test_in_words(astronaut_file: Path) -> None:
    done = run("check", astronaut_file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{astronaut_file}: ")
    assert "P(manipulated)" in done.stdout
    assert "{" not in done.stdout


def test_a_file_that_cannot_be_read_does_not_wait_for_networks(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    code = (
        "import sys\nfrom ml.__main__ import main\n"
        f"status = main(['check', {str(tmp_path / 'empty.jpg')!r}, '--json'])\n"
        "print(status, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    answer, status = done.stdout.splitlines()
    assert json.loads(answer)["reason_code"] == "empty"
    assert status == "0 False"


def test_wrong_use_is_status_two_and_says_how() -> None:
    for arguments in (["check"], ["check", "--colour", "a.jpg"], ["guess"], [], ["check", "--max-faces", "0", "a.jpg"]):
        done = run(*arguments)
        assert done.returncode == 2, arguments
        assert "usage: python -m ml" in done.stderr
        assert done.stdout == ""


def test_help() -> None:
    assert "--json" in run("check", "--help").stdout
    assert "evaluate" in run("--help").stdout
