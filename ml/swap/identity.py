"""A person as the swap knows one: the weights that paint their face, in one file.

A file is whole, or it is apart: then it holds the person's own decoder, and names the shipped shared part that the
decoder learned with by its SHA-256. Many people then need that part only once.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.networks.swap.swap_config import Family, SwapConfig
from ml.swap.face_set import MARGIN, FaceSet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.swap import SwapNetwork

SHARED = "swap_encoder"
"""What the manifest of the shipped weights calls the shared part."""

_WHOLE, _APART = 1, 2
_OWN = "own"
_OWN_PARTS = ("crops", "points", "yaw", "pitch")


class IdentityError(ValueError):
    """A file that holds no identity, or one whose shared part is not here."""


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """Weights of a DF network that paint one person.

    arrays: "model/number" -> float32, of the person's own decoder and of the shared part that it learned with (a
    decoder understands the code of no other encoder). about: what is to be said of how it was made; plain JSON.
    own: some of the person's own faces, for their details (``ml.swap.details``); None where none are kept.
    """

    name: str
    config: SwapConfig
    arrays: dict[str, NDArray[np.float32]]
    about: dict[str, Any]
    own: FaceSet | None = None

    @classmethod
    def of(
        cls, network: SwapNetwork, identity: str, name: str, about: dict[str, Any], own: FaceSet | None = None
    ) -> Identity:
        """Take a trained identity out of a network, without the other people in it."""
        if network.config.family is Family.LIAE:
            raise IdentityError("LIAE paints by a pair of people; only DF keeps them apart")
        arrays = {
            f"{part.removeprefix(identity + '/')}/{i:03d}": np.asarray(value, np.float32)
            for part, model in network.models(identity).items()
            for i, value in enumerate(model.get_weights())
        }
        return cls(name, network.config, arrays, about, own)

    def network(self) -> SwapNetwork:
        """The network with these weights; its one identity is called "person"."""
        from ml import runtime

        runtime.configure()
        from ml.networks.swap import build_swap_network

        network = build_swap_network(self.config, ("person",))
        for part, model in network.models("person").items():
            stem = part.removeprefix("person/")
            own = [self.arrays[key] for key in sorted(self.arrays) if key.rsplit("/", 1)[0] == stem]
            if [value.shape for value in own] != [tuple(w.shape) for w in model.weights]:
                raise IdentityError(f"the weights of {self.name} do not fit their own network")
            model.set_weights(own)
        return network

    @property
    def shared_keys(self) -> list[str]:
        """The names of the arrays that are not of the person's own decoder, in the order of the shared file."""
        return sorted(key for key in self.arrays if not key.startswith("decoder/"))

    def to_bytes(self, shared: str | None = None) -> bytes:
        """The file: a ``.npz`` without pickles, kernels in float16; the same identity gives the same bytes.

        shared: the SHA-256 of a shipped shared part, which is then left out. It must be this identity's own.
        """
        made = io.BytesIO()
        config = {key: str(v) if isinstance(v, Family) else v for key, v in asdict(self.config).items()}
        said = {"format": _WHOLE, "name": self.name, "config": config, "about": self.about}
        left_out: list[str] = []
        if shared is not None:
            left_out = self.shared_keys
            said |= {"format": _APART, "shared": shared, "shared_keys": left_out}
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(zipfile.ZipInfo("identity.json", (1980, 1, 1, 0, 0, 0)), json.dumps(said))
            for key in sorted(set(self.arrays) - set(left_out)):
                value, part = self.arrays[key], io.BytesIO()
                np.save(part, value.astype(np.float16 if value.ndim > 1 else np.float32), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{key}.npy", (1980, 1, 1, 0, 0, 0)), part.getvalue())
            for key in () if self.own is None else _OWN_PARTS:
                part = io.BytesIO()
                np.save(part, getattr(self.own, key), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{_OWN}/{key}.npy", (1980, 1, 1, 0, 0, 0)), part.getvalue())
        return made.getvalue()

    def save(self, path: Path, shared: str | None = None) -> str:
        """Write the file of :meth:`to_bytes`, completely or not at all; returns its SHA-256."""
        data = self.to_bytes(shared)
        fresh = path.with_name(path.name + ".part")
        fresh.write_bytes(data)
        fresh.replace(path)
        return hashlib.sha256(data).hexdigest()

    @classmethod
    def load(cls, path: Path) -> Identity:
        """Read a file of :meth:`save`. Raises IdentityError for anything else; nothing in it is executed."""
        try:
            with zipfile.ZipFile(path) as archive:
                said = json.loads(archive.read("identity.json"))
                if said["format"] not in (_WHOLE, _APART):
                    raise IdentityError(f"{path.name} is of another version of this program")
                config = SwapConfig(**{**said["config"], "family": Family(said["config"]["family"])})
                arrays = {
                    entry.removesuffix(".npy"): np.asarray(
                        np.load(io.BytesIO(archive.read(entry)), allow_pickle=False), np.float32
                    )
                    for entry in archive.namelist()
                    if entry.endswith(".npy") and not entry.startswith(f"{_OWN}/")
                }
                own = _own_faces(archive, config.size)
                if said["format"] == _APART:
                    arrays |= _shipped(said["shared"], said["shared_keys"], path.name)
        except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
            if isinstance(error, IdentityError):
                raise
            raise IdentityError(f"{path.name} holds no identity") from error
        if not all(np.isfinite(value).all() for value in arrays.values()):
            raise IdentityError(f"{path.name} holds weights that are not finite")
        return cls(said["name"], config, arrays, said["about"], own)


def _own_faces(archive: zipfile.ZipFile, size: int) -> FaceSet | None:
    """The kept faces of a file, or None where it has none. Raises ValueError or KeyError for what cannot be such."""
    if f"{_OWN}/crops.npy" not in archive.namelist():
        return None
    parts = [np.load(io.BytesIO(archive.read(f"{_OWN}/{key}.npy")), allow_pickle=False) for key in _OWN_PARTS]
    crops, points, yaw, pitch = parts
    side, count = round(size * MARGIN), len(crops)
    shapes = [(count, side, side, 3), (count, 478, 2), (count,), (count,)]
    if not count or crops.dtype != np.uint8 or [part.shape for part in parts] != shapes:
        raise ValueError("the kept faces are of another size")
    if not all(np.isfinite(part).all() for part in parts[1:]):
        raise ValueError("the kept faces have no finite mesh")
    points, yaw, pitch = (np.asarray(part, np.float32) for part in (points, yaw, pitch))
    return FaceSet(size, crops, points, yaw, pitch)


@lru_cache(maxsize=1)
def _shared_part(sha256: str) -> list[NDArray[np.float32]]:
    from ml.weights import WeightsError, entries
    from ml.weights.store import load_arrays

    entry = entries().get(SHARED)
    if entry is None or entry.sha256 != sha256:
        raise WeightsError("another version of the shared part is installed")
    return load_arrays(SHARED)


def _shipped(sha256: str, keys: list[str], file: str) -> dict[str, NDArray[np.float32]]:
    """The shipped shared part by its arrays' names. Raises IdentityError where it is not here, or another one is."""
    from ml.weights import WeightsError

    try:
        return dict(zip(keys, _shared_part(sha256), strict=True))
    except (WeightsError, ValueError) as error:
        raise IdentityError(f"{file} cannot be used: {error}") from error
