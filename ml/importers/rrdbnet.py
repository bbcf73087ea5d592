"""ESRGAN checkpoints, in the three layouts that are about, into ``ml.networks.rrdbnet``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ml.importers.checkpoint_error import CheckpointError
from ml.importers.fill import fill
from ml.importers.state_dict import StateDict
from ml.importers.torch_checkpoint import read_torch_checkpoint
from ml.networks.pixel_shuffle import shuffle_order
from ml.networks.rrdbnet import build_rrdbnet

if TYPE_CHECKING:
    from pathlib import Path

    import keras

MAX_BLOCKS = 64
MAX_FEATURES = 256

_TRUNK_RENAMES = {
    "RRDB_trunk": "body",
    "trunk_conv": "conv_body",
    "HRconv": "conv_hr",
    "upconv": "conv_up",
}
_OLDEST_BLOCK = re.compile(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(weight|bias)")
_OLDEST_PLAIN = re.compile(r"model\.(?:1\.sub\.)?(\d+)\.(weight|bias)")


def read_rrdbnet(path: Path) -> keras.Model:
    """Read an RRDBNet: ``model.1.sub...`` (2018), ``RRDB_trunk...``, or ``body...`` below ``params_ema`` or ``params``.

    Returns a Keras model (N, H, W, 3) in [0, 1] -> (N, H*scale, W*scale, 3); features, blocks, growth and scale are
    those of the file. Raises CheckpointError.
    """
    state = _newest_names(StateDict.find(path, read_torch_checkpoint(path), "params_ema", "params", "state_dict"))
    features, channels = state.conv_shape("conv_first.weight")
    growth, _ = state.conv_shape("body.0.rdb1.conv1.weight")
    blocks = 1 + max(int(name.split(".")[1]) for name in state if re.match(r"body\.\d+\.", name))
    doublings = sum(1 for name in state if re.fullmatch(r"conv_up\d+\.weight", name))
    unshuffle = {3: 1, 12: 2, 48: 4}.get(channels)
    if unshuffle is None or 2**doublings < unshuffle:
        raise CheckpointError(
            path, f"its first convolution takes {channels} channels, which no RRDBNet of pictures does"
        )
    if blocks > MAX_BLOCKS or doublings > 4 or features > MAX_FEATURES or growth > MAX_FEATURES:
        raise CheckpointError(path, f"{blocks} blocks, {features} features and {doublings} doublings are no RRDBNet")
    model = build_rrdbnet(
        scale=2**doublings // unshuffle, features=features, blocks=blocks, growth=growth, unshuffle=unshuffle
    )
    if unshuffle > 1:
        order = shuffle_order(unshuffle, 3)
        state.change("conv_first.weight", lambda weight: weight[:, order])
    fill(model, state)
    return model


def _newest_names(state: StateDict) -> StateDict:
    if "conv_first.weight" not in state and "model.0.weight" in state:
        return _from_oldest(state)
    return state.renamed(_from_trunk_layout)


def _from_trunk_layout(name: str) -> str:
    for old, new in _TRUNK_RENAMES.items():
        if name.startswith(old):
            name = new + name.removeprefix(old)
    return re.sub(r"^(body\.\d+)\.RDB(\d)\.", r"\1.rdb\2.", name)


def _from_oldest(state: StateDict) -> StateDict:
    """2018: one Sequential; its places 3, 6, ... double, and the last two convolutions follow at a distance of two."""
    places = sorted(int(match[1]) for name in state if (match := re.fullmatch(r"model\.(\d+)\.weight", name)))
    if len(places) < 3 or places[0] != 0:
        raise CheckpointError(state.path, f"its convolutions stand at {places}, which is no RRDBNet")
    names = {places[0]: "conv_first", places[-1]: "conv_last", places[-2]: "conv_hr"}
    names.update({place: f"conv_up{index}" for index, place in enumerate(places[1:-2], start=1)})

    def rename(name: str) -> str:
        if match := _OLDEST_BLOCK.fullmatch(name):
            return f"body.{match[1]}.rdb{match[2]}.conv{match[3]}.{match[4]}"
        if match := _OLDEST_PLAIN.fullmatch(name):
            return f"{'conv_body' if '.sub.' in name else names[int(match[1])]}.{match[2]}"
        return name

    return state.renamed(rename)
