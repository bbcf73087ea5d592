"""Real-ESRGAN's compact checkpoints into ``ml.networks.srvgg``."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from ml.importers.checkpoint_error import CheckpointError
from ml.importers.fill import fill
from ml.importers.state_dict import StateDict
from ml.importers.torch_checkpoint import read_torch_checkpoint
from ml.networks.pixel_shuffle import shuffle_order
from ml.networks.srvgg import build_srvgg

if TYPE_CHECKING:
    from pathlib import Path

    import keras

MAX_PLACES = 256
MAX_FEATURES = 256


def read_srvgg(path: Path) -> keras.Model:
    """Read an SRVGGNetCompact with PReLU: ``body.i`` below ``params_ema`` or ``params``, or plain.

    Returns a Keras model (N, H, W, 3) in [0, 1] -> (N, H*scale, W*scale, 3); features, convolutions and scale are
    those of the file. Raises CheckpointError.
    """
    state = StateDict.find(path, read_torch_checkpoint(path), "params_ema", "params", "state_dict")
    features, _ = state.conv_shape("body.0.weight")
    places = [int(match[1]) for name in state if (match := re.fullmatch(r"body\.(\d+)\.weight", name))]
    last = max(places)
    if last > MAX_PLACES or features > MAX_FEATURES:
        raise CheckpointError(path, f"{last} layers of {features} features are no compact upscaler")
    if last != len(places) - 1 or last < 4 or last % 2:
        raise CheckpointError(path, f"its last entry body.{last}.weight is no end of a compact upscaler")
    channels, _ = state.conv_shape(f"body.{last}.weight")
    scale = math.isqrt(channels // 3)
    if channels != 3 * scale * scale or not 1 <= scale <= 8:
        raise CheckpointError(path, f"its {channels} last channels are no end of a compact upscaler")
    model = build_srvgg(scale=scale, features=features, convs=last // 2 - 1)
    order = shuffle_order(scale, 3)
    state.change(f"body.{last}.weight", lambda weight: weight[order])
    state.change(f"body.{last}.bias", lambda bias: bias[order])
    fill(model, state)
    return model
