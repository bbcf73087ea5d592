"""PyTorch's checkpoint files, read without PyTorch.

Two layouts: the zip archive of PyTorch 1.6 and later (``<name>/data.pkl`` beside ``<name>/data/<key>``), and the one
before (five pickles in a row, then the storages). Both are described by ``torch.serialization`` in PyTorch's
documentation. Opening a file walks its pickle (see ``pickle_machine``: nothing is executed) and holds every tensor
against the bytes that the file has; numbers are read only when a tensor is asked for.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import numpy as np

from ml.importers import pickle_machine
from ml.importers.checkpoint_error import CheckpointError
from ml.importers.pickle_machine import PickleRefusedError
from ml.importers.tensor_reference import ITEM_BYTES, StorageReference, TensorReference

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE_BYTES = 8 * 2**30
MAX_PICKLE_BYTES = 64 * 2**20
MAX_ENTRIES = 200_000
MAX_RATIO = 200  # of an archive's content to its file, once the content is worth refusing
RATIO_MATTERS_ABOVE = 64 * 2**20

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_ZIP_START = b"PK\x03\x04"
_TAR_MARK = b"ustar"


class _Storages(Protocol):
    def length(self, key: str) -> int:
        """Return how many bytes the file has for the storage ``key``; raises KeyError when it has none."""
        ...

    def read(self, key: str, first: int, count: int) -> bytes:
        """Return ``count`` bytes of the storage ``key``, from byte ``first``."""
        ...


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a checkpoint, not read yet: ``shape``, ``dtype`` (a name such as "float32"), and ``read()``."""

    path: Path
    reference: TensorReference
    storages: _Storages
    byte_order: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape, in PyTorch's order of axes."""
        return self.reference.shape

    @property
    def dtype(self) -> str:
        """Return the element type in the file."""
        return self.reference.storage.dtype

    def read(self) -> np.ndarray[Any, Any]:
        """Return the numbers: float32 for all floating types, else the type of the file. Raises CheckpointError."""
        storage, shape = self.reference.storage, self.reference.shape
        item = ITEM_BYTES[self.dtype]
        stored = "uint16" if self.dtype == "bfloat16" else self.dtype
        steps = zip(shape, self.reference.stride, strict=True)
        span = sum(max(length - 1, 0) * step for length, step in steps) + 1 if math.prod(shape) else 0
        raw = self.storages.read(storage.key, (storage.first + self.reference.offset) * item, span * item)
        if len(raw) != span * item:
            raise CheckpointError(self.path, f"the numbers of a tensor of shape {shape} are cut off")
        flat = np.frombuffer(raw, np.dtype(stored).newbyteorder("<" if self.byte_order == "little" else ">"))
        if self.dtype == "bfloat16":  # the upper half of a float32
            flat = (flat.astype(np.uint32) << 16).view(np.float32)
        window = np.lib.stride_tricks.as_strided(flat, shape, [step * flat.itemsize for step in self.reference.stride])
        kind = np.float32 if self.dtype in _FLOATS else np.dtype(stored)
        return np.array(window if span else np.zeros(shape), dtype=kind, order="C")


_FLOATS = ("float64", "float32", "float16", "bfloat16")


def read_torch_checkpoint(path: str | Path) -> Any:
    """Open a ``.pth``, ``.pt`` or ``.pth.tar`` file that ``torch.save`` wrote.

    Returns what was saved: dicts, lists, tuples, numbers and strings, with ``Tensor`` in place of the tensors. Raises
    CheckpointError, which names the file and the fault, for anything else; nothing that the file asks for is executed.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise CheckpointError(path, "this is not a file")
        if size > MAX_FILE_BYTES:
            raise CheckpointError(path, f"it has {size:,} bytes; more than {MAX_FILE_BYTES:,} are not read")
        with path.open("rb") as file:
            start = file.read(512)
        if start.startswith(_ZIP_START):
            return _read_zip(path, size)
        if start[257:262] == _TAR_MARK:
            raise CheckpointError(path, "this is the tar layout of before PyTorch 0.1.10, which is not read")
        if not start.startswith(b"\x80"):
            raise CheckpointError(path, "this is not a PyTorch checkpoint (neither a zip archive nor a pickle)")
        return _read_legacy(path, size)
    except PickleRefusedError as error:
        raise CheckpointError(path, str(error)) from error
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise CheckpointError(path, f"it cannot be read ({error})") from error


class _ZipStorages:
    def __init__(self, path: Path, infos: dict[str, zipfile.ZipInfo]) -> None:
        self.path = path
        self.infos = infos
        self.archive = zipfile.ZipFile(path)  # kept open: reading its directory again for every tensor takes seconds

    def length(self, key: str) -> int:
        return self.infos[key].file_size

    def read(self, key: str, first: int, count: int) -> bytes:
        try:
            with self.archive.open(self.infos[key]) as entry:
                return entry.read(first + count)[first:]
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
            raise CheckpointError(self.path, f"the numbers {key!r} cannot be read ({error})") from error


def _read_zip(path: Path, size: int) -> Any:
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: info for info in _checked_entries(path, archive, size)}
        pickles = [name for name in entries if name == "data.pkl" or name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise CheckpointError(path, f"this zip archive has {len(pickles)} entries data.pkl; a checkpoint has one")
        prefix = pickles[0].removesuffix("data.pkl")
        if f"{prefix}constants.pkl" in entries or any(name.startswith(f"{prefix}code/") for name in entries):
            raise CheckpointError(path, "this is a TorchScript program, not a checkpoint of weights")
        if entries[pickles[0]].file_size > MAX_PICKLE_BYTES:
            raise CheckpointError(path, f"its data.pkl has more than {MAX_PICKLE_BYTES:,} bytes")
        byte_order = "little"
        if f"{prefix}byteorder" in entries:
            with archive.open(f"{prefix}byteorder") as stream:
                byte_order = stream.read(16).decode("ascii", "replace").strip()
        if byte_order not in ("little", "big"):
            raise CheckpointError(path, f"its byte order is called {byte_order!r}")
        with archive.open(pickles[0]) as stream:
            tree = pickle_machine.load(_Bounded(stream, MAX_PICKLE_BYTES))
    folder = f"{prefix}data/"
    data = {name.removeprefix(folder): info for name, info in entries.items() if name.startswith(folder)}
    return _with_tensors(path, tree, _ZipStorages(path, data), byte_order)


def _checked_entries(path: Path, archive: zipfile.ZipFile, size: int) -> Iterator[zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise CheckpointError(path, f"this zip archive has {len(infos):,} entries")
    total = sum(info.file_size for info in infos)
    if total > MAX_FILE_BYTES or (total > RATIO_MATTERS_ABOVE and total > MAX_RATIO * size):
        raise CheckpointError(path, f"this zip archive of {size:,} bytes would unfold to {total:,}")
    seen = set()
    for info in infos:
        name = info.filename
        if name in seen:
            raise CheckpointError(path, f"this zip archive has two entries called {name!r}")
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise CheckpointError(path, f"this zip archive has an entry with the path {name!r}")
        if info.flag_bits & 0x1:
            raise CheckpointError(path, "this zip archive is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise CheckpointError(path, f"the entry {name!r} is compressed in an unusual way")
        seen.add(name)
        if not info.is_dir():
            yield info


class _LegacyStorages:
    def __init__(self, path: Path, places: dict[str, tuple[int, int]]) -> None:
        self.path = path
        self.places = places

    def length(self, key: str) -> int:
        return self.places[key][1]

    def read(self, key: str, first: int, count: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.places[key][0] + first)
            return file.read(count)


def _read_legacy(path: Path, size: int) -> Any:
    with path.open("rb") as file:
        magic = pickle_machine.load(_Bounded(file, 4096))
        if magic != _LEGACY_MAGIC:
            raise CheckpointError(path, "this is a pickle, but not one that torch.save wrote")
        if pickle_machine.load(_Bounded(file, 4096)) != _LEGACY_PROTOCOL:
            raise CheckpointError(path, "it was written with an unknown version of PyTorch's layout")
        system = pickle_machine.load(_Bounded(file, 65536))
        tree = pickle_machine.load(_Bounded(file, MAX_PICKLE_BYTES))
        keys = pickle_machine.load(_Bounded(file, MAX_PICKLE_BYTES))
        if not isinstance(system, dict) or not isinstance(keys, list):
            raise CheckpointError(path, "its table of storages is damaged")
        sizes = {storage.key: ITEM_BYTES[storage.dtype] for storage in _storages(tree)}
        order = "little" if system.get("little_endian", True) else "big"
        places: dict[str, tuple[int, int]] = {}
        for key in keys:
            count = struct.unpack("<q" if order == "little" else ">q", _exactly(path, file, 8))[0]
            if key not in sizes:  # an optimizer's, whose width is unknown once its tensor was dropped
                raise CheckpointError(path, f"it has a storage {key!r} that no tensor uses")
            length = count * sizes[key]
            if count < 0 or file.tell() + length > size:
                raise CheckpointError(path, f"its storage {key!r} is cut off: {count:,} numbers were announced")
            places[key] = (file.tell(), length)
            file.seek(length, 1)
    return _with_tensors(path, tree, _LegacyStorages(path, places), order)


def _exactly(path: Path, file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise CheckpointError(path, "it ends in the middle of its numbers")
    return data


class _Bounded:
    """A stream that hands out at most ``limit`` bytes, so that a length inside a pickle allocates nothing absurd."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        pieces = []
        while wanted > 0:
            piece = self._stream.read(min(wanted, 65536))
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
            self._left -= len(piece)
        return b"".join(pieces)

    def readline(self, size: int = -1, /) -> bytes:
        line: bytes = self._stream.readline(min(self._left, 4096 if size < 0 else size))
        self._left -= len(line)
        return line


def _walk(tree: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield (container, key, value) for everything below ``tree``; a container met twice is walked once."""
    waiting, seen = [tree], {id(tree)}
    while waiting:
        container = waiting.pop()
        items = container.items() if isinstance(container, dict) else enumerate(container)
        for key, value in list(items):
            yield container, key, value
            if isinstance(value, (dict, list, tuple)) and id(value) not in seen:
                seen.add(id(value))
                waiting.append(value)


def _storages(tree: Any) -> Iterator[StorageReference]:
    if isinstance(tree, TensorReference):
        yield tree.storage
    elif isinstance(tree, (dict, list, tuple)):
        for _container, _key, value in _walk(tree):
            if isinstance(value, TensorReference):
                yield value.storage


def _with_tensors(path: Path, tree: Any, storages: _Storages, byte_order: str) -> Any:
    def tensor(reference: TensorReference) -> Tensor:
        storage = reference.storage
        item = ITEM_BYTES[storage.dtype]
        try:
            available = storages.length(storage.key)
        except KeyError:
            raise CheckpointError(path, f"the numbers {storage.key!r} of a tensor are missing") from None
        if (storage.first + storage.length) * item > available:
            announced = f"{storage.first + storage.length:,} numbers of {storage.dtype}"
            raise CheckpointError(path, f"its storage {storage.key!r} has {available:,} bytes, too few for {announced}")
        return Tensor(path, reference, storages, byte_order)

    if isinstance(tree, TensorReference):
        return tensor(tree)
    if isinstance(tree, (dict, list, tuple)):
        for container, key, value in _walk(tree):
            if isinstance(value, TensorReference) and not isinstance(container, tuple):
                container[key] = tensor(value)
    return tree
