"""The named arrays of one network in a checkpoint, whatever is wrapped around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.importers.checkpoint_error import CheckpointError
from ml.importers.torch_checkpoint import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Array = np.ndarray[Any, Any]

MAX_CHANNELS = 2048
_BOOKKEEPING = ".num_batches_tracked"  # how many steps a BatchNorm has seen in training: not a weight


class StateDict:
    """Entries by name, in PyTorch's axes, read when taken; it remembers which were taken.

    A ``module.`` in front of every name (DataParallel) is dropped. A convolution under spectral normalisation
    (``weight_orig``, ``weight_u``, ``weight_v``) shows itself as one plain ``weight``.
    """

    def __init__(self, path: Path, entries: dict[str, Tensor]) -> None:
        self.path = path
        prefix = "module." if entries and all(name.startswith("module.") for name in entries) else ""
        self._entries = {
            name.removeprefix(prefix): entry for name, entry in entries.items() if not name.endswith(_BOOKKEEPING)
        }
        self._changes: dict[str, Callable[[Array], Array]] = {}
        self._taken: set[str] = set()

    @classmethod
    def find(cls, path: Path, tree: Any, *keys: str) -> StateDict:
        """Find the state dict in what a file holds: below the first of ``keys`` that is there, else the whole of it."""
        if isinstance(tree, dict):
            for key in keys:
                if isinstance(tree.get(key), dict):
                    tree = tree[key]
                    break
        if not isinstance(tree, dict) or not tree:
            raise CheckpointError(path, "it holds no named weights")
        strangers = [str(name) for name, value in tree.items() if not isinstance(value, Tensor)]
        if strangers or not all(isinstance(name, str) for name in tree):
            known = f" nor any of {', '.join(keys)}" if keys else ""
            raise CheckpointError(path, f"it holds neither plain named weights{known} (found: {_few(strangers)})")
        return cls(path, tree)

    def __contains__(self, name: str) -> bool:
        return name in self._entries or f"{name}_orig" in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def below(self, prefix: str) -> StateDict:
        """Return the entries whose names start with ``prefix``, without it."""
        chosen = {name.removeprefix(prefix): self._entries[name] for name in self if name.startswith(prefix)}
        return StateDict(self.path, chosen)

    def without(self, prefix: str) -> StateDict:
        """Return the entries whose names do not start with ``prefix``."""
        return StateDict(self.path, {name: self._entries[name] for name in self if not name.startswith(prefix)})

    def renamed(self, rename: Callable[[str], str]) -> StateDict:
        """Return the same entries under other names. Raises CheckpointError when two would get the same one."""
        entries: dict[str, Tensor] = {}
        for name, entry in self._entries.items():
            new = rename(name)
            if new in entries:
                raise CheckpointError(self.path, f"it mixes layouts: two of its entries mean {new}")
            entries[new] = entry
        return StateDict(self.path, entries)

    def change(self, name: str, change: Callable[[Array], Array]) -> None:
        """Let ``change`` (which keeps the shape) work on the array ``name``, in PyTorch's axes, when it is taken."""
        self._changes[name] = change

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an entry. Raises CheckpointError when it is missing."""
        entry = self._entries.get(name) or self._entries.get(f"{name}_orig")
        if entry is None:
            raise CheckpointError(self.path, f"it lacks {name}")
        return entry.shape

    def conv_shape(self, name: str) -> tuple[int, int]:
        """Return (out, in) of a convolution from which a network's size is read, before that network is built.

        Raises CheckpointError when it is no convolution, or wider than any that is published (a few megabytes must not
        ask for a network of terabytes).
        """
        shape = self.shape(name)
        if len(shape) != 4 or not all(1 <= length <= MAX_CHANNELS for length in shape):
            raise CheckpointError(self.path, f"{name} has the shape {shape}, which is no convolution of such a network")
        return shape[0], shape[1]

    def take(self, name: str) -> Array:
        """Read an entry as float32. Raises CheckpointError when it is missing, not of numbers, or not finite."""
        array = self._spectral(name) if name not in self._entries and name in self else self._read(name)
        if name in self._changes:
            array = self._changes[name](array)
        return array

    def claim(self, name: str) -> None:
        """Count an entry, with all that spectral normalisation keeps beside it, as used."""
        self._taken.update((name, f"{name}_orig", f"{name}_u", f"{name}_v"))

    def rest(self) -> list[str]:
        """Return the names that nobody has claimed."""
        return [name for name in self._entries if name not in self._taken]

    def _read(self, name: str) -> Array:
        self.shape(name)
        array = self._entries[name].read().astype(np.float32, copy=False)
        if not np.isfinite(array).all():
            raise CheckpointError(self.path, f"{name} has values that are not finite")
        return array

    def _spectral(self, name: str) -> Array:
        """Fold spectral normalisation (Miyato et al. 2018): W / (u . W v), as PyTorch evaluates it."""
        weight = self._read(f"{name}_orig")
        matrix = weight.reshape(weight.shape[0], -1)
        left = self._read(f"{name}_u")
        if f"{name}_v" in self._entries:
            right = self._read(f"{name}_v")
        else:  # written before PyTorch 1.0, which kept only one of the two vectors
            right = matrix.T @ left
            right = right / max(float(np.linalg.norm(right)), 1e-12)
        if left.shape != (matrix.shape[0],) or right.shape != (matrix.shape[1],):
            raise CheckpointError(self.path, f"the spectral norm of {name} has vectors of the wrong length")
        norm = float(left.astype(np.float64) @ (matrix @ right).astype(np.float64))
        if norm == 0 or not np.isfinite(norm):
            raise CheckpointError(self.path, f"the spectral norm of {name} is {norm}")
        folded: Array = weight / np.float32(norm)
        return folded


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown or "nothing"
