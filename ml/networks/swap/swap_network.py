"""What every face-swap network of the family can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.networks.swap.swap_config import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    import keras

    from ml.networks.swap.swap_config import SwapConfig


class Painted(NamedTuple):
    """Faces (N, size, size, 3) and masks (N, size, size, 1), both in [0, 1]; ``mask`` is None without that branch."""

    face: Any
    mask: Any


class SwapNetwork(ABC):
    """A shared part and, for each identity, a part of its own; every part is a Keras model.

    Painting a face as the identity it has is reconstruction, and what training asks for; painting it as another one is
    the swap.
    """

    config: SwapConfig
    identities: tuple[str, ...]
    shared: Mapping[str, keras.Model]
    own: Mapping[str, Mapping[str, keras.Model]]

    @abstractmethod
    def paint(self, images: Any, identity: str, *, training: bool = False) -> Painted:
        """Paint faces (N, size, size, 3) in [0, 1] as ``identity``. Raises KeyError for one that it does not know."""

    def models(self, identity: str | None = None) -> dict[str, keras.Model]:
        """The shared models by name, and those of one identity or (None) of all, as "identity/name"."""
        found = dict(self.shared)
        for name in self.identities if identity is None else (identity,):
            found |= {f"{name}/{part}": model for part, model in self.own[name].items()}
        return found

    def count_params(self) -> dict[str, int]:
        """Count the parameters: "shared", and those of each identity's own part."""
        counted = {"shared": sum(_size(model) for model in self.shared.values())}
        return counted | {name: sum(_size(model) for model in self.own[name].values()) for name in self.identities}


def build_swap_network(
    config: SwapConfig, identities: tuple[str, ...] = ("a", "b"), precision: str | None = None
) -> SwapNetwork:
    """Build the network of ``config`` for these identities. Raises ValueError when the family cannot hold them.

    DF and the original hold any number of identities; LIAE exactly two, the second being the one that is replaced.
    ``precision``: a Keras dtype policy for its layers, "mixed_bfloat16" for training where the processor knows it (the
    weights stay float32); None leaves the one in force.
    """
    import keras

    from ml.networks.swap.df import DFSwap
    from ml.networks.swap.liae import LIAESwap

    held = keras.config.dtype_policy()
    try:
        # Layers ask for the policy when they are made; other networks of this process must not see another one.
        keras.config.set_dtype_policy(precision or held)
        return (LIAESwap if config.family is Family.LIAE else DFSwap)(config, identities)
    finally:
        keras.config.set_dtype_policy(held)


def _size(model: keras.Model) -> int:
    return sum(int(np.prod(variable.shape)) for variable in model.weights)
