"""python -m ml animate: refused without a record of consent; with one, marked and signed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import pytest

from ml.__main__ import main
from ml.provenance.verification import verify

if TYPE_CHECKING:
    from pathlib import Path

RECORD = "3b1f5c1e-96a2-4c0e-8f7e-1d2c3b4a5f60"


@pytest.mark.parametrize("given", [[], ["--consent", ""], ["--consent", "yes"], ["--consent", "0"]])
def test_nobody_is_animated_without_a_record(
    given: list[str], portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    words = ["animate", str(portrait), str(out), "--built-in", "nod", "--authority", str(tmp_path / "keys"), *given]
    assert main(words) == 2
    assert "record of consent" in capsys.readouterr().err
    assert not out.exists()
    assert not (tmp_path / "keys").exists()


def test_what_is_made_carries_the_mark_and_names_the_record(
    portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, keys = tmp_path / "out.mp4", tmp_path / "keys"
    words = ["animate", str(portrait), str(out), "--built-in", "blink", "--consent", RECORD, "--authority", str(keys)]
    assert main([*words, "--framing", "square", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["frames"] == 75
    assert told["weights"]["motion"].startswith("trained here")
    read = verify(out.read_bytes(), "video/mp4", keys)
    assert (read.work.value, set(read.consents)) == ("animation", {RECORD})
    with av.open(str(out)) as opened:
        assert opened.streams.video[0].average_rate == 25
        last = list(opened.decode(video=0))[-1].to_ndarray(format="rgb24")
    assert last[-1].max() < 40, "the band is black"
    assert last[-40:].max() > 200, "its words are white"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"out": "no.avi"}, "ends in .mp4"),
        ({"out": "nowhere/a.mp4"}, "no folder"),
        ({"portrait": "none.png"}, "none.png"),
    ],
)
def test_what_cannot_be_done_is_said(
    change: dict[str, str], words: str, portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"portrait": str(portrait), "out": "a.mp4"} | change
    out = tmp_path / given["out"]
    picture = given["portrait"] if "portrait" not in change else str(tmp_path / given["portrait"])
    line = [
        "animate",
        picture,
        str(out),
        "--built-in",
        "nod",
        "--consent",
        RECORD,
        "--authority",
        str(tmp_path / "keys"),
    ]
    assert main(line) == 1
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_one_driver_is_asked_for(portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in ([], ["--built-in", "nod", "--driver", str(portrait)], ["--built-in", "nod", "--movement", "3"]):
        with pytest.raises(SystemExit):
            main(["animate", str(portrait), str(tmp_path / "a.mp4"), "--consent", RECORD, "--authority", "k", *line])
