"""A person as the swap knows one: the weights that paint their face, in one file."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.networks.swap.swap_config import Family, SwapConfig

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.swap import SwapNetwork

_FORMAT = 1


class IdentityError(ValueError):
    """A file that holds no identity, or one whose shared part is not here."""


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """Weights of a DF network that paint one person.

    arrays: "model/number" -> float32, of the person's own decoder and of the shared part that it learned with (a
    decoder understands the code of no other encoder). about: what is to be said of how it was made; plain JSON.
    """

    name: str
    config: SwapConfig
    arrays: dict[str, NDArray[np.float32]]
    about: dict[str, Any]

    @classmethod
    def of(cls, network: SwapNetwork, identity: str, name: str, about: dict[str, Any]) -> Identity:
        """Take a trained identity out of a network, without the other people in it."""
        if network.config.family is Family.LIAE:
            raise IdentityError("LIAE paints by a pair of people; only DF keeps them apart")
        arrays = {
            f"{part.removeprefix(identity + '/')}/{i:03d}": np.asarray(value, np.float32)
            for part, model in network.models(identity).items()
            for i, value in enumerate(model.get_weights())
        }
        return cls(name, network.config, arrays, about)

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

    def to_bytes(self) -> bytes:
        """The file: a ``.npz`` without pickles, kernels in float16; the same identity gives the same bytes."""
        made = io.BytesIO()
        config = {key: str(v) if isinstance(v, Family) else v for key, v in asdict(self.config).items()}
        words = json.dumps({"format": _FORMAT, "name": self.name, "config": config, "about": self.about})
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(zipfile.ZipInfo("identity.json", (1980, 1, 1, 0, 0, 0)), words)
            for key in sorted(self.arrays):
                value, part = self.arrays[key], io.BytesIO()
                np.save(part, value.astype(np.float16 if value.ndim > 1 else np.float32), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{key}.npy", (1980, 1, 1, 0, 0, 0)), part.getvalue())
        return made.getvalue()

    def save(self, path: Path) -> str:
        """Write the file, whole or not at all; returns its SHA-256."""
        data = self.to_bytes()
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
                if said["format"] != _FORMAT:
                    raise IdentityError(f"{path.name} is of another version of this program")
                config = SwapConfig(**{**said["config"], "family": Family(said["config"]["family"])})
                arrays = {
                    entry.removesuffix(".npy"): np.asarray(
                        np.load(io.BytesIO(archive.read(entry)), allow_pickle=False), np.float32
                    )
                    for entry in archive.namelist()
                    if entry.endswith(".npy")
                }
        except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
            if isinstance(error, IdentityError):
                raise
            raise IdentityError(f"{path.name} holds no identity") from error
        if not all(np.isfinite(value).all() for value in arrays.values()):
            raise IdentityError(f"{path.name} holds weights that are not finite")
        return cls(said["name"], config, arrays, said["about"])
