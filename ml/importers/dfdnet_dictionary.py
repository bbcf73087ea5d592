"""DFDNet's dictionaries of facial components, in the forms in which they are shipped."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.importers.checkpoint_error import CheckpointError
from ml.importers.torch_checkpoint import Tensor, read_torch_checkpoint
from ml.networks.dfdnet import PARTS

if TYPE_CHECKING:
    from ml.networks.dfdnet import DFDNetConfig

    Dictionary = dict[tuple[int, str], np.ndarray[Any, Any]]

_PART = "|".join(PARTS)
_BREAK = "[^a-z0-9]"
_NAME = re.compile(rf"(?:.*{_BREAK})?(?:({_PART}){_BREAK}+(\d+)|(\d+){_BREAK}+({_PART}))(?:{_BREAK}.*)?")
_INSIDE = ("dictionary", "dict")
_AUTHORS_FOLDER = "DictionaryCenter512"


def looks_like_dictionary(tree: Any) -> bool:
    """Tell whether what a file holds is a dictionary: tensors by scale and part."""
    return isinstance(tree, dict) and bool(tree) and all(_part_tables(key, value) for key, value in tree.items())


def _part_tables(key: Any, value: Any) -> bool:
    return str(key).isdigit() and isinstance(value, dict) and set(PARTS) <= set(value)


def find_dictionary(path: Path, tree: Any) -> Path | dict[Any, Any]:
    """Find the dictionary of the checkpoint at ``path``, which holds ``tree``. Raises CheckpointError without one.

    In this order: in the checkpoint; ``.npy`` files, a ``.npz`` or a ``.pth`` with "dict" in its name, beside it; a
    folder with "dict" in its name, beside it or at the root of the authors' folders.
    """
    if isinstance(tree, dict):
        for key in _INSIDE:
            if looks_like_dictionary(tree.get(key)):
                return dict(tree[key])
    folder = path.parent
    if any(_place(file.stem) for file in folder.glob("*.npy")):
        return folder
    named = [entry for entry in sorted(folder.iterdir()) if "dict" in entry.name.lower() and entry != path]
    for entry in named:
        if entry.suffix in (".npz", ".pth", ".pt") or any(entry.glob("*.npy")):
            return entry
    for above in list(folder.resolve().parents)[:2]:
        if any((above / _AUTHORS_FOLDER).glob("*.npy")):
            return above / _AUTHORS_FOLDER
    raise CheckpointError(path, "no dictionary of facial components lies in it or beside it; name one")


def read_dictionary(source: str | Path | dict[Any, Any], config: DFDNetConfig) -> Dictionary:
    """Read a dictionary: arrays (K, C, side, side) by (scale, part). Raises CheckpointError when it does not fit."""
    if isinstance(source, dict):
        path, arrays = _path_of(source), _from_tree(source)
    else:
        path = Path(source)
        arrays = _from_folder(path) if path.is_dir() else _from_file(path)
    answer = {}
    for scale in config.scales:
        for part in PARTS:
            if (scale, part) not in arrays:
                raise CheckpointError(path, f"the dictionary lacks {part} at {scale} pixels")
            answer[scale, part] = _checked(path, arrays[scale, part], scale, part, config)
    return answer


def _checked(
    path: Path, stored: Tensor | np.ndarray[Any, Any], scale: int, part: str, config: DFDNetConfig
) -> np.ndarray[Any, Any]:
    channels, side = config.channels(scale), config.entry_side(scale, part)
    count, *rest = stored.shape or (0,)
    # The authors' files keep an entry as one row.
    if not count or tuple(rest) not in ((channels, side, side), (channels * side * side,)):
        wanted = f"(K, {channels}, {side}, {side})"
        raise CheckpointError(path, f"{part} at {scale} pixels has the shape {tuple(stored.shape)}, not {wanted}")
    array = stored.read() if isinstance(stored, Tensor) else stored
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise CheckpointError(path, f"{part} at {scale} pixels has values that are not finite numbers")
    return array.astype(np.float32, copy=False).reshape(count, channels, side, side)


def _from_tree(tree: dict[Any, Any]) -> dict[tuple[int, str], Any]:
    return {
        (int(scale), part): table[part]
        for scale, table in tree.items()
        for part in PARTS
        if isinstance(table[part], Tensor)
    }


def _path_of(tree: dict[Any, Any]) -> Path:
    tensors = [value for table in tree.values() for value in table.values() if isinstance(value, Tensor)]
    return tensors[0].path if tensors else Path("dictionary")


def _from_folder(folder: Path) -> dict[tuple[int, str], Any]:
    arrays = {}
    for file in sorted(folder.glob("*.npy")):
        if place := _place(file.stem):
            arrays[place] = _load(file)
    if not arrays:
        raise CheckpointError(folder, "this folder has no files such as left_eye_256_center.npy")
    return arrays


def _from_file(path: Path) -> dict[tuple[int, str], Any]:
    if path.suffix == ".npz":
        archive = _load(path)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise CheckpointError(path, "this is no .npz archive")
        with archive:
            try:
                return {place: archive[name] for name in archive.files if (place := _place(name))}
            except (ValueError, OSError, zipfile.BadZipFile) as error:
                raise CheckpointError(path, f"it cannot be read ({error})") from error
    tree = read_torch_checkpoint(path)
    if not looks_like_dictionary(tree):
        raise CheckpointError(path, "this is no dictionary of facial components (tensors by scale and part)")
    return _from_tree(tree)


def _load(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(path, f"it cannot be read ({error})") from error


def _place(name: str) -> tuple[int, str] | None:
    match = _NAME.fullmatch(name.lower())
    if match is None:
        return None
    return int(match[2] or match[3]), match[1] or match[4]
