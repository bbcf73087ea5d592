"""Imported networks kept in a file of this project's own: ``.npz`` without pickles, saying what it is and whence."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.importers.checkpoint_error import CheckpointError
from ml.networks.dfdnet import PARTS, DFDNet, DFDNetConfig
from ml.networks.fomm import FirstOrderMotion, MotionConfig
from ml.networks.rrdbnet import build_rrdbnet
from ml.networks.srvgg import build_srvgg
from ml.networks.stylegan2 import StyleGAN2

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "unmask-imported-1"
_ABOUT = "about"


def write_converted(path: Path, kind: str, model: Any, *, source: str, sha256: str) -> None:
    """Write ``model``, which ``read_checkpoint(kind, ...)`` gave, with the name and SHA-256 of its file."""
    about = {"format": FORMAT, "kind": kind, "source": source, "sha256": sha256, "settings": _settings(kind, model)}
    arrays = {name: np.asarray(variable) for name, variable in _variables(model)}
    with path.open("wb") as file:
        np.savez(file, **{_ABOUT: np.array(json.dumps(about))}, **arrays)


def read_converted(kind: str, path: Path) -> Any:
    """Read what ``write_converted`` wrote: the same as ``read_checkpoint`` gave. Raises CheckpointError."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            about = json.loads(str(archive[_ABOUT]))
            if about["format"] != FORMAT or about["kind"] != kind:
                raise CheckpointError(path, f"it holds {about['kind']!r} ({about['format']}), not {kind!r}")
            model = _build(kind, about["settings"])
            for name, variable in _variables(model):
                array = archive[name]
                if array.shape != tuple(variable.shape):
                    raise CheckpointError(path, f"{name} has the shape {array.shape}, not {tuple(variable.shape)}")
                variable.assign(array)
    except CheckpointError:
        raise
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise CheckpointError(path, f"it is no network that was imported here ({error})") from error
    return model


def count_arrays(model: Any) -> tuple[int, int]:
    """Return how many arrays, and how many numbers, an imported network has."""
    sizes = [int(np.prod(variable.shape)) for _, variable in _variables(model)]
    return len(sizes), sum(sizes)


def _variables(model: Any) -> list[tuple[str, Any]]:
    """Name every variable by its place: layers inside of layers may share a path."""
    if isinstance(model, FirstOrderMotion):
        parts = {
            "keypoint_detector": model.keypoint_detector,
            "dense_motion": model.dense_motion,
            "encoder": model.encoder,
            "decoder": model.decoder,
        }
    else:
        parts = {"model": model}
    return [
        (f"{part}/{place:04d}/{variable.path}", variable)
        for part, network in parts.items()
        for place, variable in enumerate(network.weights)
    ]


def _settings(kind: str, model: Any) -> dict[str, Any]:
    if kind == "rrdbnet":
        first = model.get_layer("conv_first")
        names = [layer.name for layer in model.layers]
        return {
            "scale": int(model.name.removeprefix("rrdbnet_x")),
            "features": first.filters,
            "blocks": len({name.split(".")[1] for name in names if name.startswith("body.")}),
            "growth": model.get_layer("body.0.rdb1.conv1").filters,
            "unshuffle": model.get_layer("unshuffle").factor if "unshuffle" in names else 1,
        }
    if kind == "srvgg":
        slopes = sum(layer.name.startswith("body.") for layer in model.layers) // 2
        shuffle, first = model.get_layer("shuffle"), model.get_layer("body.0")
        return {"scale": shuffle.factor, "features": first.filters, "convs": slopes - 1}
    if kind == "fomm":
        return asdict(model.config)
    if kind == "dfdnet":
        return {**asdict(model.config), "entries": [layer.count for layer in model.dictionaries]}
    average = None if model.latent_average is None else model.latent_average.ravel().tolist()
    return {
        "size": model.size,
        "style": model.style,
        "mapping_layers": len(model.mapping_layers),
        "multiplier": model.multiplier,
        "width": model.width,
        "latent_average": average,
    }


def _build(kind: str, settings: dict[str, Any]) -> Any:
    if kind == "rrdbnet":
        return build_rrdbnet(**settings)
    if kind == "srvgg":
        return build_srvgg(**settings)
    if kind == "fomm":
        return FirstOrderMotion(MotionConfig(**settings))
    if kind == "dfdnet":
        config = DFDNetConfig(settings["size"], settings["features"], tuple(settings["part_sizes"]))
        places = [(scale, part) for scale in config.scales for part in PARTS]
        return DFDNet(config, entries=dict(zip(places, settings["entries"], strict=True)))
    average = settings.pop("latent_average")
    model = StyleGAN2(settings.pop("size"), **settings)
    model.latent_average = None if average is None else np.array([average], np.float32)
    return model
