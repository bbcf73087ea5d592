"""The enhancement networks that come with the program, by name, with their weights."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.weights import MANIFEST, WeightsError, entries
from ml.weights.store import publish as write_weights
from ml.weights.store import unpack

if TYPE_CHECKING:
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

NETWORKS = ("compact_x2", "compact_x4", "dictionary", "esrgan_psnr_x4", "esrgan_gan_x4", "restorer")
_SLIM_RRDB = {"scale": 4, "features": 32, "blocks": 4, "growth": 16}
SHAPES: dict[str, dict[str, Any]] = {
    "compact_x2": {"scale": 2, "features": 32, "convs": 8},
    "compact_x4": {"scale": 4, "features": 32, "convs": 8},
    "dictionary": {"side": 128, "widths": (24, 48, 96), "entries": 32},
    "esrgan_psnr_x4": _SLIM_RRDB,
    "esrgan_gan_x4": _SLIM_RRDB,
    "restorer": {"features": 48, "blocks": 4},
}


def build(name: str) -> keras.Model:
    """The network called ``name`` with random weights. Raises KeyError for an unknown name."""
    from ml.networks.compact import build_compact, build_restorer

    if name == "dictionary":
        from ml.networks.face_restorer import FaceRestorerConfig, build_face_restorer

        return build_face_restorer(FaceRestorerConfig(**SHAPES[name]))
    if name.startswith("esrgan"):
        from ml.networks.rrdbnet import build_slim_rrdb

        return build_slim_rrdb(**SHAPES[name])
    return build_restorer(**SHAPES[name]) if name == "restorer" else build_compact(**SHAPES[name])


def available(manifest: Path = MANIFEST) -> tuple[str, ...]:
    """The names of the networks whose weights are shipped."""
    found = entries(manifest)
    return tuple(name for name in NETWORKS if name in found)


def load(name: str, manifest: Path = MANIFEST) -> keras.Model:
    """The network called ``name`` with its shipped weights. Raises WeightsError as ``ml.weights.load`` does."""
    entry = entries(manifest).get(name)
    if entry is None or name not in NETWORKS:
        raise WeightsError(f"the manifest has no enhancement network called {name!r}")
    try:
        data = (manifest.parent / entry.file).read_bytes()
    except OSError as error:
        raise WeightsError(f"the weights of {name} are missing: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != entry.sha256:
        raise WeightsError(f"{entry.file} is not the file that the manifest names: its SHA-256 is {found}")
    arrays = unpack(data)
    model = build(name)
    if [array.shape for array in arrays] != [tuple(weight.shape) for weight in model.weights]:
        raise WeightsError(f"{entry.file} does not fit {name}")
    model.set_weights(arrays)
    return model


@cache
def warm(name: str) -> keras.Model:
    """The shipped network, loaded once a process."""
    return load(name)


def probe(side: int = 32) -> NDArray[np.float32]:
    """A picture that everybody can make: float32 (1, side, side, 3), waves and a little noise."""
    random = np.random.default_rng(2018)
    y, x = np.mgrid[0:side, 0:side] / 32
    waves = np.stack([np.sin(9 * x + 4 * y), np.cos(7 * y), np.sin(5 * x * y)], axis=-1) * 0.4 + 0.5
    return np.asarray((waves + random.normal(0, 0.05, waves.shape)).clip(0, 1), np.float32)[None]


def answer(model: keras.Model) -> list[float]:
    """What a network makes of the probe, as eight values spread over its output."""
    made = np.asarray(model(probes(model))).ravel()
    return [float(value) for value in made[:: made.size // 8][:8]]


def probes(model: keras.Model) -> Any:
    """The probe as this network takes it, with levels of a fault or places of a face's parts where it wants them."""
    picture = probe(model.inputs[0].shape[1] or 32)
    if len(model.inputs) == 1:
        return picture
    told = {2: [[0.5, 0.2, 0.0]], 3: [[[44, 52], [84, 52], [64, 72], [64, 92]]]}[len(model.inputs[1].shape)]
    return [picture, np.array(told, np.float32)]


def publish(name: str, arrays: list[NDArray[np.float32]], version: str, manifest: Path = MANIFEST) -> str:
    """Ship weights of ``name`` and keep what they answer; returns the file's SHA-256."""
    import json

    from ml.weights.answers import ANSWERS

    model = build(name)
    model.set_weights(arrays)
    entry = write_weights(name, arrays, version, manifest)
    path = manifest.parent / ANSWERS
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known[name] = [round(value, 6) for value in answer(load(name, manifest))]
    path.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n", encoding="utf-8")
    return entry.sha256
