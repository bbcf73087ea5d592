"""One encoder and intermediate block for all, a decoder for each person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml.networks.swap.blocks import build_decoder, build_encoder, build_inter
from ml.networks.swap.swap_config import Family
from ml.networks.swap.swap_network import Painted, SwapNetwork

if TYPE_CHECKING:
    from ml.networks.swap.swap_config import SwapConfig


class DFSwap(SwapNetwork):
    """FakeApp's network as faceswap calls it "original", and DeepFaceLab's DF (Perov et al. 2020, arXiv 2005.05535).

    At full size the original has 69,662,976 shared parameters and 6,199,747 for each identity; DF-128 has 57,538,432
    for two.
    """

    def __init__(self, config: SwapConfig, identities: tuple[str, ...] = ("a", "b")) -> None:
        if config.family is Family.LIAE:
            raise ValueError("LIAE has a class of its own")
        if not identities or len(set(identities)) != len(identities):
            raise ValueError("identities must be named, and each once")
        self.config, self.identities = config, identities
        self.shared = {"encoder": build_encoder(config), "inter": build_inter(config)}
        self.own = {name: {"decoder": build_decoder(config, f"decoder_{name}")} for name in identities}

    def paint(self, images: Any, identity: str, *, training: bool = False) -> Painted:
        """Encode, and decode with the identity's decoder."""
        decoder = self.own[identity]["decoder"]
        code = self.shared["inter"](self.shared["encoder"](images, training=training), training=training)
        painted = decoder(code, training=training)
        return Painted(*painted) if self.config.mask is not None else Painted(_only(painted), None)


def _only(painted: Any) -> Any:
    return painted[0] if isinstance(painted, (list, tuple)) else painted
