"""DFDNet's checkpoints and dictionaries, as the authors and BasicSR ship them, into ``ml.networks.dfdnet``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ml.importers.checkpoint_error import CheckpointError
from ml.importers.dfdnet_dictionary import find_dictionary, looks_like_dictionary, read_dictionary
from ml.importers.fill import fill
from ml.importers.state_dict import StateDict
from ml.importers.torch_checkpoint import read_torch_checkpoint
from ml.networks.dfdnet import DFDNet, DFDNetConfig
from ml.networks.dfdnet.component_dictionary import ComponentDictionary
from ml.networks.dfdnet.encoder import PictureStatistics

if TYPE_CHECKING:
    from pathlib import Path

    from ml.importers.dfdnet_dictionary import Dictionary

_VGG19 = ("1_1", "1_2", "2_1", "2_2", *(f"{block}_{index}" for block in (3, 4, 5) for index in (1, 2, 3, 4)))
_VGG19_PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)  # in torchvision's Sequential
_VGG19_NAMES = {str(place): f"conv{name}" for place, name in zip(_VGG19_PLACES, _VGG19, strict=True)}
_PARTS = {"le": "left_eye", "re": "right_eye", "no": "nose", "mo": "mouth"}
_UNUSED = "vgg_extractor.model.classifier."  # VGG19's last layers, which the authors save along
MAX_FEATURES = 128


def read_dfdnet(path: Path, *, dictionary: str | Path | None = None, size: int = 512) -> DFDNet:
    """Read a DFDNet: the authors' ``latest_net_G.pth`` or BasicSR's ``DFDNet_official.pth``, with its dictionary.

    ``path`` is the checkpoint, or a folder that holds it. ``dictionary`` is a folder of ``<part>_<scale>_center.npy``
    (the authors' ``DictionaryCenter512``), a ``.npz``, or BasicSR's ``DFDNet_dict_512.pth``; left out, it is looked
    for inside the checkpoint, beside it, and where the authors' folders put it. Returns a DFDNet (takes image and
    part locations). Raises CheckpointError.
    """
    path = _network_file(path) if path.is_dir() else path
    tree = read_torch_checkpoint(path)
    state = StateDict.find(path, tree, "params_ema", "params", "state_dict").renamed(_newest_name)
    features, _ = state.conv_shape("vgg_extractor.vgg_net.conv1_1.weight")
    if features > MAX_FEATURES:
        raise CheckpointError(path, f"{features} features at full size are no DFDNet")
    config = DFDNetConfig.of(size, features)
    entries = read_dictionary(find_dictionary(path, tree) if dictionary is None else dictionary, config)
    model = DFDNet(config, entries={place: len(array) for place, array in entries.items()})
    _fill_statistics(model, state)
    for name in [name for name in state if name.startswith(_UNUSED)]:
        state.claim(name)
    fill(model, state, skip=(ComponentDictionary, PictureStatistics))
    _fill_dictionaries(model, entries)
    return model


def _fill_statistics(model: DFDNet, state: StateDict) -> None:
    layer = model.encoder.get_layer("statistics")
    for name, variable in (("vgg_extractor.mean", layer.mean), ("vgg_extractor.std", layer.deviation)):
        values = state.take(name)
        if values.size != 3 or (name.endswith("std") and not values.all()):
            raise CheckpointError(state.path, f"{name} is {values.tolist()}")
        variable.assign(values.reshape(3))
        state.claim(name)


def _fill_dictionaries(model: DFDNet, entries: Dictionary) -> None:
    for (scale, part), array in entries.items():
        model.dictionary(scale, part).set_entries(np.transpose(array, (0, 2, 3, 1)))


def _network_file(folder: Path) -> Path:
    files = sorted(file for pattern in ("*.pth", "*.pt") for file in folder.glob(pattern))
    networks = [file for file in files if not looks_like_dictionary(read_torch_checkpoint(file))]
    if len(networks) != 1:
        raise CheckpointError(folder, f"this folder has {len(networks)} checkpoints of a network; name one")
    return networks[0]


def _newest_name(name: str) -> str:
    """Turn a name of the authors' own layout into BasicSR's."""
    if name.startswith("VggExtract."):
        name = name.replace("VggExtract.", "vgg_extractor.").replace(".RGB_", ".")
        if match := re.fullmatch(r"vgg_extractor\.model\.features\.(\d+)\.(weight|bias)", name):
            name = f"vgg_extractor.vgg_net.{_VGG19_NAMES.get(match[1], match[1])}.{match[2]}"
    elif match := re.fullmatch(r"(le|re|no|mo)_(\d+)\.(.+)", name):
        name = f"attn_blocks.{_PARTS[match[1]]}_{match[2]}.{match[3]}"
    elif match := re.fullmatch(r"MSDilate\.conv([1-4])\.(.+)", name):
        name = f"multi_scale_dilation.conv_blocks.{int(match[1]) - 1}.{match[2]}"
    elif name.startswith("MSDilate.convi."):
        name = name.replace("MSDilate.convi", "multi_scale_dilation.conv_fusion")
    elif match := re.fullmatch(r"up([0-4])\.(.+)", name):
        rest = match[2].replace("ScaleModel1", "scale_block").replace("ShiftModel1", "shift_block")
        name = f"upsample{match[1]}.{rest.replace('Model', 'body')}"
    return name
