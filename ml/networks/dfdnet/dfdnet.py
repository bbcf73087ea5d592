"""DFDNet as one thing: a degraded face and the places of its parts in, a restored face out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from ml.networks.dfdnet.component_dictionary import ComponentDictionary
from ml.networks.dfdnet.decoder import build_attention, build_decoder
from ml.networks.dfdnet.dfdnet_config import DFDNET_512, PARTS, DFDNetConfig
from ml.networks.dfdnet.encoder import build_encoder

if TYPE_CHECKING:
    from collections.abc import Mapping


@keras.saving.register_keras_serializable("unmask")
class DFDNet(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Deep Face Dictionary Network (Li et al., ECCV 2020).

    ``model(image, part_locations)`` or ``model([image, part_locations])``: image float32 (N, size, size, 3) in [-1,
    1]; part_locations (N, 4, 4) or (4, 4): x0, y0, x1, y1 in pixels of left eye, right eye, nose, mouth (``PARTS``;
    the person's right eye is on the picture's left: the authors call the one on the picture's left ``left_eye``).
    Returns (N, size, size, 3) in [-1, 1]. A part outside of the picture is left as it is.

    The crops depend on the places, so it runs eagerly (no ``tf.function`` around it); ``encoder``, ``decoder`` and the
    attention blocks are functional models. ``entries`` is how many entries the dictionaries have: for all, or by
    (scale, part).
    """

    def __init__(
        self, config: DFDNetConfig = DFDNET_512, *, entries: int | Mapping[tuple[int, str], int] = 512
    ) -> None:
        super().__init__(name="dfdnet")
        self.config = config
        self.encoder = build_encoder(config)
        self.decoder = build_decoder(config)
        self.attention: list[keras.Model] = []
        self.dictionaries: list[ComponentDictionary] = []
        for scale in config.scales:
            for part in PARTS:
                count = entries if isinstance(entries, int) else entries[scale, part]
                side, channels = config.entry_side(scale, part), config.channels(scale)
                self.attention.append(build_attention(channels, f"attn_blocks.{part}_{scale}"))
                self.dictionaries.append(ComponentDictionary(count, side, channels, name=f"{part}_{scale}"))
        self.built = True

    def dictionary(self, scale: int, part: str) -> ComponentDictionary:
        """Return the dictionary of a part on the feature map of side ``scale``."""
        return self.dictionaries[self._place(scale, part)]

    def call(self, inputs: Any, part_locations: Any = None, training: bool = False) -> Any:
        """Restore faces: see the class."""
        image, places = (inputs, part_locations) if part_locations is not None else inputs
        if tuple(image.shape[1:]) != (self.config.size, self.config.size, 3):
            raise ValueError(f"faces must be (N, {self.config.size}, {self.config.size}, 3), not {tuple(image.shape)}")
        places = np.asarray(ops.convert_to_numpy(places), np.float64)
        places = np.broadcast_to(places, (image.shape[0], *places.shape[-2:]))
        if places.shape[1:] != (len(PARTS), 4):
            raise ValueError(f"part locations must be (N, {len(PARTS)}, 4), not {places.shape}")
        taps = self.encoder(image, training=False)
        bettered = [
            ops.concatenate(
                [self._bettered(tap[index : index + 1], scale, places[index]) for index in range(len(places))]
            )
            for scale, tap in zip(self.config.scales, taps, strict=True)
        ]
        return self.decoder([taps[-1], *bettered], training=training)

    def _bettered(self, features: Any, scale: int, places: np.ndarray[Any, Any]) -> Any:
        """Put the best entries into the features (1, s, s, C) of one face: attention(entry - crop) * entry + crop."""
        answer = features
        for part, place in zip(PARTS, places, strict=True):
            left, top, right, bottom = np.clip(place // (self.config.size / scale), 0, scale).astype(int).tolist()
            if right <= left or bottom <= top:
                continue
            index = self._place(scale, part)
            crop = features[:, top:bottom, left:right]
            entry = self.dictionaries[index](crop)
            better = self.attention[index](entry - crop) * entry + crop
            answer = ops.slice_update(answer, (0, top, left, 0), better)
        return answer

    def _place(self, scale: int, part: str) -> int:
        return self.config.scales.index(scale) * len(PARTS) + PARTS.index(part)
