"""One decoder for both people, and two intermediate blocks that tell it whose face to paint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import ops

from ml.networks.swap.blocks import build_decoder, build_encoder, build_inter
from ml.networks.swap.swap_config import Family
from ml.networks.swap.swap_network import Painted, SwapNetwork

if TYPE_CHECKING:
    from ml.networks.swap.swap_config import SwapConfig


class LIAESwap(SwapNetwork):
    """DeepFaceLab's LIAE (Perov et al. 2020): the first identity is painted from [AB, AB], the second from [B, AB].

    LIAE-128 has 94,963,328 parameters.
    """

    def __init__(self, config: SwapConfig, identities: tuple[str, ...] = ("a", "b")) -> None:
        if config.family is not Family.LIAE:
            raise ValueError(f"{config.family} is not LIAE")
        if len(set(identities)) != 2 or len(identities) != 2:
            raise ValueError("LIAE holds exactly two identities")
        self.config, self.identities = config, identities
        self.shared = {
            "encoder": build_encoder(config),
            "inter_ab": build_inter(config, "inter_ab"),
            "decoder": build_decoder(config, "decoder"),
        }
        self.own = {identities[0]: {}, identities[1]: {"inter_b": build_inter(config, "inter_b")}}

    def paint(self, images: Any, identity: str, *, training: bool = False) -> Painted:
        """Encode, pass the intermediate blocks that stand for the identity, and decode."""
        own = self.own[identity]
        features = self.shared["encoder"](images, training=training)
        both = self.shared["inter_ab"](features, training=training)
        first = own["inter_b"](features, training=training) if own else both
        painted = self.shared["decoder"](ops.concatenate([first, both], axis=-1), training=training)
        if self.config.mask is not None:
            return Painted(*painted)
        return Painted(painted[0] if isinstance(painted, (list, tuple)) else painted, None)
