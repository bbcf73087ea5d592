"""PyTorch files are read right, and whatever a file may try is refused by name before anything is executed."""

from __future__ import annotations

import os
import pickle
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ml.importers.checkpoint_error import CheckpointError
from ml.importers.state_dict import StateDict
from ml.importers.torch_checkpoint import Tensor, read_torch_checkpoint
from tests.ml import torch_writer
from tests.ml.torch_writer import BFloat16, Plain, plain_pickle, write_legacy, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEGACY_HEAD = b"".join(map(plain_pickle, (torch_writer.LEGACY_MAGIC, 1001, {"little_endian": True})))


@pytest.fixture
def tree() -> dict[str, Any]:
    random = np.random.default_rng(5)
    return {
        "conv.weight": random.standard_normal((4, 3, 3, 3)).astype(np.float32),
        "half": random.standard_normal((2, 5)).astype(np.float16),
        "double": random.standard_normal(7),
        "steps": np.array(12, np.int64),
        "bytes": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "empty": np.zeros((0, 4), np.float32),
    }


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_every_kind_of_tensor_comes_back(tmp_path: Path, tree: dict[str, Any], write: Callable[..., Path]) -> None:
    brain = np.array([1.0, -2.5, 3.25], np.float32)
    whole = Plain({"epoch": 7, "net": tree, "rates": [0.5, None, True], "shape": (1, 2), "brain": BFloat16(brain)})
    read = read_torch_checkpoint(write(tmp_path / "x.pth", whole))
    assert read["epoch"] == 7 and read["rates"] == [0.5, None, True] and read["shape"] == (1, 2)
    assert np.array_equal(read["brain"].read(), brain)
    for name, array in tree.items():
        back = read["net"][name].read()
        assert back.shape == array.shape and np.array_equal(back, array.astype(back.dtype))
    assert read["net"]["half"].read().dtype == np.float32 and read["net"]["steps"].read().dtype == np.int64


def test_deflated_archive_and_transposed_tensor(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float32)
    writer = torch_writer._PickleWriter(legacy=False)
    body = writer.tensor_at("0", "Float", 12, 2, (3, 2), (1, 3))
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("any name/data.pkl", b"\x80\x02" + body + b".")
        archive.writestr("any name/data/0", values.tobytes())
    tensor = read_torch_checkpoint(path)
    assert isinstance(tensor, Tensor)
    assert np.array_equal(tensor.read(), np.lib.stride_tricks.as_strided(values[2:], (3, 2), (4, 12)))


class _Touch:
    """A pickle that would create the file ``victim`` when anybody unpickles it."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.victim}",)


def _zip_of(path: Path, data: bytes, **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        for name, content in more.items():
            archive.writestr(f"archive/{name}", content)
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("place", ["zip", "legacy head", "legacy body", "inside a state dict"])
def test_a_pickle_that_runs_a_command_is_refused_by_name_and_does_not_run(
    tmp_path: Path, protocol: int, place: str
) -> None:
    victim, path = tmp_path / "victim", tmp_path / "evil.pth"
    evil = pickle.dumps(_Touch(victim), protocol)
    pickle.loads(evil)  # noqa: S301 - the attack works on an ordinary reader
    assert victim.exists()
    victim.unlink()
    if place == "zip":
        _zip_of(path, evil)
    elif place == "inside a state dict":
        _zip_of(path, pickle.dumps({"params": {"conv.weight": _Touch(victim)}}, protocol))
    else:
        path.write_bytes(evil if place == "legacy head" else LEGACY_HEAD + evil)
    with pytest.raises(CheckpointError, match=r"evil\.pth.*posix\.system"):
        read_torch_checkpoint(path)
    assert not victim.exists()


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


ORDERED = _global("collections", "OrderedDict")


def _tensor(length: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], kind: str = "Float") -> bytes:
    return torch_writer._PickleWriter(legacy=False).tensor_at("0", kind, length, offset, shape, strides)


HOSTILE_PICKLES = {
    "a whole module": (_global("torch.nn.modules.conv", "Conv2d") + b")\x81.", r"torch\.nn\.modules\.conv\.Conv2d"),
    "eval": (_global("builtins", "eval") + b"X\x01\x00\x00\x001\x85R.", r"builtins\.eval"),
    "a getattr chain": (_global("builtins", "getattr") + b".", r"builtins\.getattr"),
    "a dotted walk through an allowed name": (_global("collections", "OrderedDict.fromkeys") + b".", "fromkeys"),
    "the opcode that makes instances": (b"(ios\nsystem\n.", "INST"),
    "NEWOBJ on an allowed name": (ORDERED + b")\x81.", "NEWOBJ"),
    "an extension code": (b"\x82\x01.", "EXT1"),
    "setting the inside of an allowed name": (ORDERED + b"}b.", r"inside of collections\.OrderedDict"),
    "setting the inside of a tensor": (_tensor(4, 0, (4,), (1,)) + b"}b.", "inside of a TensorReference"),
    "calling a storage": (_global("torch", "FloatStorage") + b")R.", r"call torch\.FloatStorage"),
    "calling what is no name": (b"}" + b")R.", "call a dict"),
    "a storage of unknown numbers": (_tensor(4, 0, (4,), (1,), "ComplexFloat") + b".", r"torch\.ComplexFloatStorage"),
    "a tensor beyond its storage": (_tensor(4, 0, (5,), (1,)) + b".", "outside of its storage"),
    "a tensor that begins too late": (_tensor(4, 2, (3,), (1,)) + b".", "outside of its storage"),
    "a stride over the end": (_tensor(4, 0, (2, 2), (3, 1)) + b".", "outside of its storage"),
    "a terabyte by a stride of zero": (_tensor(1, 0, (2**20, 2**20), (0, 0)) + b".", "outside of its storage"),
    "a negative stride": (_tensor(4, 3, (4,), (-1,)) + b".", "not a sensible number"),
    "a negative offset": (_tensor(4, -1, (1,), (1,)) + b".", "not a sensible number"),
    "nine axes": (_tensor(1, 0, (1,) * 9, (1,) * 9) + b".", "strides"),
    "an absurd length": (_tensor(2**62, 0, (1,), (1,)) + b".", "not a sensible number"),
    "a shape that is no shape": (_global("torch", "Size") + b"K\x05\x85R.", "where a shape belongs"),
    "an announced gigabyte": (b"X\xff\xff\xff\x7fabc", "damaged"),
    "a stack that is empty": (b"0.", "POP"),
    "a tuple of nothing": (b"\x86.", "damaged"),
    "a number as a memo": (b"h\x07.", "damaged"),
    "no end": (b"}", "damaged|ends too early"),
    "an unknown instruction": (b"\xff\xff.", "damaged"),
    "a list as a key": (b"}](K\x01eK\x01s.", "key a list"),
    "a dictionary that lacks a value": (b"}(K\x01u.", "without a value"),
    "a storage that is a command": (b"(X\x02\x00\x00\x00rmtQ.", "not a storage"),
}


@pytest.mark.parametrize("fault", HOSTILE_PICKLES)
def test_hostile_pickles_are_refused(tmp_path: Path, fault: str) -> None:
    body, message = HOSTILE_PICKLES[fault]
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + body)
        archive.writestr("archive/data/0", bytes(16))
    with pytest.raises(CheckpointError, match=message) as caught:
        read_torch_checkpoint(path)
    assert str(caught.value).startswith("x.pth: ")
    path.write_bytes(LEGACY_HEAD + b"\x80\x02" + body)
    with pytest.raises(CheckpointError):
        read_torch_checkpoint(path)


def test_storage_that_is_shorter_than_announced(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + _tensor(5, 0, (4,), (1,)) + b".")
        archive.writestr("archive/data/0", bytes(16))
    with pytest.raises(CheckpointError, match="has 16 bytes, too few for 5 numbers of float32"):
        read_torch_checkpoint(path)


def test_storage_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="missing"):
        read_torch_checkpoint(_zip_of(tmp_path / "x.pth", b"\x80\x02" + _tensor(4, 0, (4,), (1,)) + b"."))


@pytest.mark.parametrize("cut", [0.2, 0.6, 0.95, 0.999])
@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_truncated_files(tmp_path: Path, tree: dict[str, Any], write: Callable[..., Path], cut: float) -> None:
    path = write(tmp_path / "x.pth", tree)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    with pytest.raises(CheckpointError, match=r"x\.pth"):
        read_torch_checkpoint(path)


def test_flipped_bytes_in_an_archive_are_noticed(tmp_path: Path, tree: dict[str, Any]) -> None:
    path = write_zip(tmp_path / "x.pth", tree)
    data = bytearray(path.read_bytes())
    place = data.find(tree["conv.weight"].tobytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="CRC"):
        read_torch_checkpoint(path)["conv.weight"].read()


def test_zip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + _tensor(2**25, 0, (2**25,), (1,)) + b".")
        archive.writestr("archive/data/0", bytes(2**27))
    with pytest.raises(CheckpointError, match="would unfold"):
        read_torch_checkpoint(path)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "archive/../../outside", "a\\..\\b"])
def test_paths_that_lead_out_of_the_archive(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", plain_pickle({}))
        archive.writestr(name, b"x")
    with pytest.raises(CheckpointError, match="path"):
        read_torch_checkpoint(path)


def test_two_entries_of_one_name_two_pickles_and_a_program(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("archive/data.pkl", plain_pickle({}))
        archive.writestr("archive/data.pkl", plain_pickle({}))
    with pytest.raises(CheckpointError, match="two entries"):
        read_torch_checkpoint(path)
    with pytest.raises(CheckpointError, match=r"has 2 entries data\.pkl"):
        read_torch_checkpoint(_zip_of(path, plain_pickle({}), **{"more/data.pkl": plain_pickle({})}))
    with pytest.raises(CheckpointError, match=r"has 0 entries data\.pkl"):
        read_torch_checkpoint(_other_zip(tmp_path / "y.pth"))
    with pytest.raises(CheckpointError, match="TorchScript"):
        read_torch_checkpoint(_zip_of(path, plain_pickle({}), **{"constants.pkl": plain_pickle({})}))
    with pytest.raises(CheckpointError, match="byte order"):
        read_torch_checkpoint(_zip_of(path, plain_pickle({}), byteorder=b"middle"))


def _other_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", b"hello")
    return path


def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    with pytest.raises(CheckpointError, match=r"x\.pth: it cannot be read"):
        read_torch_checkpoint(path)
    with pytest.raises(CheckpointError, match="not a file"):
        read_torch_checkpoint(tmp_path)
    contents = (b"", b"<html>quota exceeded</html>", b"version https://git-lfs.github.com/spec/v1\n", b"PK\x03\x04junk")
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(CheckpointError):
            read_torch_checkpoint(path)
    path.write_bytes(plain_pickle({"a": 1}))
    with pytest.raises(CheckpointError, match=r"not one that torch\.save wrote"):
        read_torch_checkpoint(path)
    path.write_bytes(bytes(257) + b"ustar" + bytes(250))
    with pytest.raises(CheckpointError, match="tar layout"):
        read_torch_checkpoint(path)


def test_legacy_storage_announces_more_than_there_is(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    writer = torch_writer._PickleWriter(legacy=True)
    body = b"\x80\x02" + writer.tensor_at("0", "Float", 4, 0, (4,), (1,)) + b"."
    for count in (2**60, -1, 5):
        path.write_bytes(LEGACY_HEAD + body + plain_pickle(["0"]) + struct.pack("<q", count) + bytes(16))
        with pytest.raises(CheckpointError, match="cut off"):
            read_torch_checkpoint(path)
    path.write_bytes(LEGACY_HEAD + body + plain_pickle(["0"]) + struct.pack("<q", 4) + bytes(16))
    assert np.array_equal(read_torch_checkpoint(path).read(), np.zeros(4))


def test_a_tree_that_contains_itself_ends(tmp_path: Path) -> None:
    read = read_torch_checkpoint(_zip_of(tmp_path / "x.pth", b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."))
    with pytest.raises(CheckpointError, match="nor any of params"):
        StateDict.find(tmp_path / "x.pth", read, "params")


def test_state_dict_finds_the_weights_and_folds_spectral_norm(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    weight, v = random.standard_normal((4, 2, 3, 3)).astype(np.float32), random.standard_normal(18)
    v = (v / np.linalg.norm(v)).astype(np.float32)
    u = (weight.reshape(4, -1) @ v).astype(np.float32)
    entries = {"module.a.weight_orig": weight, "module.a.weight_u": u, "module.a.weight_v": v}
    entries["module.n.num_batches_tracked"] = np.array(3)
    tree = read_torch_checkpoint(write_zip(tmp_path / "x.pth", Plain({"params": entries, "epoch": 3})))
    state = StateDict.find(tmp_path / "x.pth", tree, "params_ema", "params")
    assert list(state) == ["a.weight_orig", "a.weight_u", "a.weight_v"] and "a.weight" in state
    assert np.allclose(state.take("a.weight"), weight / (u @ (weight.reshape(4, -1) @ v)), atol=1e-6)
    state.claim("a.weight")
    assert state.rest() == []
    with pytest.raises(CheckpointError, match=r"lacks b\.weight"):
        state.take("b.weight")


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.pth", {"a": np.array([1.0, np.nan], np.float32)})
    with pytest.raises(CheckpointError, match="a has values that are not finite"):
        StateDict.find(path, read_torch_checkpoint(path)).take("a")
