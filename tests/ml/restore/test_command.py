"""``python -m ml enhance``, as a person or a script runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from ml.restore.command import main

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def photo(astronaut: NDArray[np.uint8], tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(astronaut[60:108, 180:240]).save(path)
    return path


def test_a_process_enlarges_and_says_by_what(photo: Path) -> None:
    out = photo.with_name("large.jpg")
    done = subprocess.run(
        [sys.executable, "-m", "ml", "enhance", str(photo), str(out), "--task", "upscale", "--scale", "4"],
        cwd=ROOT, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "240 x 192 px, Compact upscaler, trained here" in done.stdout
    with Image.open(out) as made:
        assert (made.format, made.size) == ("JPEG", (240, 192))
    assert sorted(path.name for path in photo.parent.iterdir()) == ["large.jpg", "photo.png"]


def test_several_methods_go_into_a_folder(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(photo), str(tmp_path), "--task", "upscale", "--json"]
    assert main([*words, "--method", "bicubic", "--method", "lanczos"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [Path(each["path"]).name for each in answer["results"]] == ["photo-bicubic.png", "photo-lanczos.png"]
    assert all(Path(each["path"]).is_file() for each in answer["results"])
    assert answer["results"][0]["measures"]["psnr"] is None
    assert (answer["width"], answer["height"]) == (60, 48)


def test_wrong_use_is_said_and_the_picture_stays(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = photo.read_bytes()
    out = str(photo.with_name("out.png"))
    for words, said in (
        ([str(photo), str(photo), "--task", "upscale"], "would overwrite the picture itself"),
        ([str(photo), out + ".gif", "--task", "upscale"], "end its name in .png"),
        ([str(photo), out, "--task", "upscale", "--method", "gan"], "no method 'gan'"),
        ([str(photo), out, "--task", "upscale", "--scale", "7"], "not by 7"),
        ([str(photo), out, "--task", "deblur", "--method", "unsharp", "--strength", "2"], "between 0 and 1"),
        ([str(photo.with_name("none.png")), out, "--task", "upscale"], "no such file"),
        ([str(photo), str(photo.parent / "nowhere" / "out.png"), "--task", "upscale"], "no folder"),
        ([str(photo), out, "--task", "upscale", "--method", "bicubic", "--method", "lanczos"], "need a folder"),
    ):
        assert main(words) == 1, words
        assert said in capsys.readouterr().err
    for words in ([], ["--task", "deblur", "--scale", "2"], ["--task", "x"], ["--task", "upscale", "--quality", "0"]):
        with pytest.raises(SystemExit) as stopped:
            main([str(photo), out, *words])
        assert stopped.value.code == 2
    assert photo.read_bytes() == before
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


def test_a_result_can_be_signed(photo: Path, tmp_path: Path) -> None:
    from ml.provenance.verification import InvalidSeal, verify

    out, keys = tmp_path / "out.png", tmp_path / "keys"
    assert main([str(photo), str(out), "--task", "upscale", "--method", "lanczos", "--sign", str(keys)]) == 0
    read = verify(out.read_bytes(), "image/png", keys)
    assert read.work == "enhancement"
    changed = bytearray(out.read_bytes())
    changed[len(changed) // 2] ^= 1
    with pytest.raises(InvalidSeal):
        verify(bytes(changed), "image/png", keys)
