"""A writer of PyTorch's checkpoint files for tests, both layouts, without PyTorch."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

STORAGES = {
    "float64": "Double",
    "float32": "Float",
    "float16": "Half",
    "int64": "Long",
    "int32": "Int",
    "uint8": "Byte",
}
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


@dataclass
class Plain:
    """A dict to be written as a plain dict; others are written as OrderedDict, as state dicts are."""

    items: dict[str, Any]


@dataclass
class BFloat16:
    """A float32 array to be written as bfloat16."""

    values: np.ndarray


def write_zip(path: Path, tree: Any, *, compression: int = zipfile.ZIP_STORED) -> Path:
    """Write ``tree`` (dicts, lists, numbers, strings, arrays) as ``torch.save`` does since 1.6."""
    writer = _PickleWriter(legacy=False)
    data = writer.whole(tree)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/byteorder", "little")
        for key, array in writer.storages.items():
            archive.writestr(f"archive/data/{key}", array.tobytes())
        archive.writestr("archive/version", "3\n")
    return path


def write_legacy(path: Path, tree: Any) -> Path:
    """Write ``tree`` as ``torch.save`` did before 1.6."""
    writer = _PickleWriter(legacy=True)
    data = writer.whole(tree)
    system = {"protocol_version": 1001, "little_endian": True}
    parts = [plain_pickle(LEGACY_MAGIC), plain_pickle(1001), plain_pickle(system), data]
    parts.append(plain_pickle(list(writer.storages)))
    for array in writer.storages.values():
        parts.extend((struct.pack("<q", array.size), array.tobytes()))
    path.write_bytes(b"".join(parts))
    return path


def plain_pickle(value: Any) -> bytes:
    """Return the pickle of plain containers and numbers."""
    return _PickleWriter(legacy=False).whole(value)


class _PickleWriter:
    """Protocol 2, opcode by opcode: the real Pickler would have to import the classes that it names."""

    def __init__(self, *, legacy: bool) -> None:
        self.legacy = legacy
        self.storages: dict[str, np.ndarray] = {}

    def whole(self, tree: Any) -> bytes:
        return b"\x80\x02" + self.value(tree) + b"."

    def value(self, value: Any) -> bytes:
        if isinstance(value, Plain):
            return b"}(" + self.pairs(value.items) + b"u"
        if isinstance(value, dict):
            return b"ccollections\nOrderedDict\n)R(" + self.pairs(value) + b"u}X\t\x00\x00\x00_metadata}sb"
        if isinstance(value, list):
            return b"](" + b"".join(map(self.value, value)) + b"e"
        if isinstance(value, tuple):
            return b"(" + b"".join(map(self.value, value)) + b"t"
        if isinstance(value, BFloat16):
            bits = np.ascontiguousarray(value.values, np.float32).view(np.uint32) >> 16
            return self.tensor(bits.astype(np.uint16), "BFloat16")
        if isinstance(value, np.ndarray):
            return self.tensor(value, STORAGES[value.dtype.name])
        if isinstance(value, str):
            text = value.encode()
            return b"X" + struct.pack("<I", len(text)) + text
        if isinstance(value, bool):
            return b"\x88" if value else b"\x89"
        if isinstance(value, int):
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(data)]) + data
        if isinstance(value, float):
            return b"G" + struct.pack(">d", value)
        if value is None:
            return b"N"
        raise TypeError(type(value).__name__)

    def pairs(self, items: dict[str, Any]) -> bytes:
        return b"".join(self.value(key) + self.value(item) for key, item in items.items())

    def tensor(self, array: np.ndarray, kind: str) -> bytes:
        key = str(len(self.storages))
        self.storages[key] = np.ascontiguousarray(array).reshape(-1)
        strides = tuple(step // array.itemsize for step in np.ascontiguousarray(array).strides)
        return self.tensor_at(key, kind, array.size, 0, array.shape, strides if array.ndim else ())

    def tensor_at(
        self, key: str, kind: str, length: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> bytes:
        storage = b"(" + self.value("storage") + f"ctorch\n{kind}Storage\n".encode()
        storage += self.value(key) + self.value("cpu") + self.value(length) + (b"N" if self.legacy else b"") + b"tQ"
        rest = self.value(offset) + self.value(shape) + self.value(strides) + b"\x89ccollections\nOrderedDict\n)R"
        return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + b"tR"
