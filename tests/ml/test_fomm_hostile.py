"""Ten kinds of file that are no motion model: each is refused by its name, and nothing that it asks for is run."""

from __future__ import annotations

import os
import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ml.importers import CheckpointError, read_checkpoint
from ml.networks.fomm import FirstOrderMotion
from tests.ml import torch_writer
from tests.ml.fomm_states import TINY, torch_states
from tests.ml.torch_writer import Plain, write_legacy, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    States = dict[str, dict[str, np.ndarray]]


class _Touch:
    """Unpickled by anybody, it would create the file ``victim``."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.victim}",)


def _reduce(path: Path, states: States) -> None:
    """A state dict, one of whose weights runs a command."""
    del states
    whole = {"generator": {"first.conv.weight": _Touch(path.with_name("victim"))}, "kp_detector": {}}
    _zip(path, pickle.dumps(whole, 2))


def _extra_global(path: Path, states: States) -> None:
    """A whole module of PyTorch where a weight belongs."""
    del states
    _zip(path, b"\x80\x02}(X\x09\x00\x00\x00generatorctorch.nn.modules.conv\nConv2d\n)\x81u.")


def _cut(path: Path, states: States) -> None:
    write_zip(path, Plain(dict(states)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _cut_legacy(path: Path, states: States) -> None:
    write_legacy(path, Plain(dict(states)))
    path.write_bytes(path.read_bytes()[:-64])


def _bomb(path: Path, states: States) -> None:
    """Seventy megabytes of zeros in less than one tenth of a megabyte."""
    del states
    count = 9 * 2**21
    weight = torch_writer._PickleWriter(legacy=False).tensor_at("0", "Float", count, 0, (count,), (1,))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + weight + b".")
        with archive.open("archive/data/0", "w", force_zip64=True) as file:
            for _ in range(9):
                file.write(bytes(2**23))


def _absurd(path: Path, states: States) -> None:
    """A weight of 2^62 numbers."""
    del states
    weight = torch_writer._PickleWriter(legacy=False).tensor_at("0", "Float", 2**62, 0, (2**31, 2**31), (2**31, 1))
    _zip(path, b"\x80\x02" + weight + b".", **{"data/0": bytes(16)})


def _tar(path: Path, states: States) -> None:
    del states
    path.write_bytes(bytes(257) + b"ustar" + bytes(250))


def _no_archive(path: Path, states: States) -> None:
    del states
    path.write_bytes(b"<html><title>Quota exceeded</title></html>")


def _another_network(path: Path, states: States) -> None:
    del states
    weight = np.ones((64, 3, 3, 3), np.float32)
    write_zip(path, Plain({"params": {"conv_first.weight": weight, "body.0.rdb1.conv1.weight": weight}}))


def _shape(path: Path, states: States) -> None:
    weight = states["generator"]["final.weight"]
    write_zip(path, Plain({**states, "generator": states["generator"] | {"final.weight": weight[:, :, :5, :5]}}))


def _key(path: Path, states: States) -> None:
    left = {name: value for name, value in states["kp_detector"].items() if name != "kp.bias"}
    write_zip(path, Plain({**states, "kp_detector": left}))


def _nan(path: Path, states: States) -> None:
    bias = np.full_like(states["kp_detector"]["kp.bias"], np.nan)
    write_zip(path, Plain({**states, "kp_detector": states["kp_detector"] | {"kp.bias": bias}}))


def _zip(path: Path, data: bytes, **more: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        for name, content in more.items():
            archive.writestr(f"archive/{name}", content)


KINDS: dict[str, tuple[Callable[[Path, States], None], str]] = {
    "a pickle that runs a command": (_reduce, r"posix\.system"),
    "a class that is not on the list": (_extra_global, r"torch\.nn\.modules\.conv\.Conv2d"),
    "an archive cut short": (_cut, "not a zip file"),
    "the older layout cut short": (_cut_legacy, "cut off"),
    "a content that unfolds beyond measure": (_bomb, "would unfold"),
    "an absurd number of numbers": (_absurd, "not a sensible number"),
    "the tar layout of old": (_tar, "tar layout"),
    "no archive at all": (_no_archive, r"not one that torch\.save wrote|neither"),
    "another network": (_another_network, "no generator and kp_detector"),
    "a wrong shape": (_shape, r"final\.weight has the shape"),
    "a weight too few": (_key, r"lacks kp\.bias"),
    "numbers that are none": (_nan, "not finite"),
}


@pytest.fixture(scope="module")
def states() -> States:
    return torch_states(FirstOrderMotion(TINY))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_motion_model_is_refused_and_runs_nothing(
    kind: str, states: States, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, message = KINDS[kind]
    path = tmp_path / "hostile.pth.tar"
    write(path, states)

    def run(*_: object, **__: object) -> None:
        pytest.fail("something that the file holds was unpickled or run")

    for module, name in ((os, "system"), (pickle, "load"), (pickle, "loads"), (pickle, "Unpickler")):
        monkeypatch.setattr(module, name, run)
    with pytest.raises(CheckpointError, match=rf"hostile\.pth\.tar: .*({message})"):
        read_checkpoint("fomm", path, size=64)
    assert [each.name for each in tmp_path.iterdir()] == ["hostile.pth.tar"]
