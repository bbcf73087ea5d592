"""The authors' MesoNet weights (``.h5``, Keras 2; github.com/DariusAf/MesoNet, Apache-2.0).

Their networks answer P(real) through a sigmoid. Unmask speaks of P(manipulated): turning the sign of the last layer
turns the answer, since logit(1 - p) = -logit(p), so that an imported network is used exactly like one trained here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h5py

from ml.networks.mesonet import build

if TYPE_CHECKING:
    from pathlib import Path

    import keras

_KERNELS = {6: "meso4", 18: "mesoinception4"}
"""Networks by how many convolution and dense kernels a file holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """An imported network: (N, 256, 256, 3) in [0, 1] -> (N, 1), the logit of P(manipulated).

    network: "meso4" or "mesoinception4". sha256: of the file, to be named with every answer that it makes.
    """

    model: keras.Model
    network: str
    sha256: str


def read(path: Path) -> Imported:
    """Read one of the authors' weight files. Raises ValueError when it is none, OSError when it cannot be read."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    network = _network_in(path)
    model = build(network)
    try:
        model.load_weights(path)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name} does not hold the weights of {network}: {error}") from error
    last = model.layers[-1]
    kernel, bias = last.get_weights()
    last.set_weights([-kernel, -bias])
    return Imported(model, network, digest)


def _network_in(path: Path) -> str:
    kernels: list[str] = []
    try:
        with h5py.File(path, "r") as file:
            file.visititems(
                lambda name, item: kernels.append(name) if isinstance(item, h5py.Dataset) and "kernel" in name else None
            )
    except OSError as error:
        raise ValueError(f"{path.name} is no HDF5 file") from error
    if len(kernels) not in _KERNELS:
        raise ValueError(f"{path.name} holds {len(kernels)} kernels; MesoNet has 6 or MesoInception 18")
    return _KERNELS[len(kernels)]
