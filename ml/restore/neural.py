"""Networks as workers: shipped ones and imported ones, each a traced graph whose tile size is left open."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime
from ml.errors import MediaError
from ml.restore import shipped
from ml.restore.classical import Interpolation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

_TILE = 256
_LARGE_TILE = 128  # of a whole RRDBNet, which keeps some 200 channels of every pixel
_MOST_HALO = 32
"""Of the deep networks: their reach is hundreds of pixels, but what lies beyond some thirty changes nothing visible."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """One network as a worker. strength: how much of it is taken, 0 (interpolation alone) to 1; of upscalers.

    rim: pixels by which a tile's outermost ones are repeated around it first, for deep networks that were trained on
    nothing but photographs: the zeros beyond an edge would darken small pictures.
    """

    forward: Callable[[Any], Any]
    scale: int
    halo: int
    multiple: int = 1
    tile: int = _TILE
    strength: float = 1.0
    rim: int = 0

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run one tile."""
        rim = self.rim
        wide = np.pad(pixels, ((rim, rim), (rim, rim), (0, 0)), mode="edge") if rim else pixels
        made = np.asarray(self.forward(wide[None]))[0]
        if rim:
            made = made[rim * self.scale : -rim * self.scale, rim * self.scale : -rim * self.scale]
        if self.strength < 1:
            plain = Interpolation(self.scale)(pixels)
            return np.asarray(plain + np.float32(self.strength) * (made - plain), np.float32)
        return np.asarray(made, np.float32)


def upscaler(scale: int, strength: float) -> Network:
    """The shipped compact upscaler. Raises WeightsError where it is not shipped."""
    name = f"compact_x{scale}"
    shape = shipped.SHAPES[name]
    # Each 3 x 3 convolution reaches one pixel further; the interpolation that is mixed in needs eight.
    return Network(_traced(name), scale, halo=max(8, shape["convs"] + 2), strength=strength)


def esrgan(strength: float) -> Network:
    """The slim RRDB, its weights ``strength`` of the way from those for PSNR to those of the adversarial training.

    Wang et al., ESRGAN (ECCVW 2018), section 3.4. Raises WeightsError where it is not shipped.
    """
    return Network(_interpolated(round(strength, 2)), 4, halo=_MOST_HALO, tile=_TILE, rim=8)


@lru_cache(maxsize=3)
def _interpolated(share: float) -> Callable[..., Any]:
    plain, adversarial = (shipped.warm(name).get_weights() for name in ("esrgan_psnr_x4", "esrgan_gan_x4"))
    model = shipped.build("esrgan_gan_x4")
    model.set_weights([(1 - share) * a + share * b for a, b in zip(plain, adversarial, strict=True)])
    return graph(model)


def restorer(levels: tuple[float, float, float]) -> Network:
    """The shipped restorer at these levels of noise, JPEG and blur. Raises WeightsError where it is not shipped."""
    forward = _traced("restorer")
    steered = np.array([levels], np.float32)
    return Network(
        lambda pixels: forward(pixels, steered), 1, halo=4 * (shipped.SHAPES["restorer"]["blocks"] + 1), multiple=2
    )


@dataclass(frozen=True, slots=True, eq=False)
class FaceNetwork:
    """A network that restores faces in squares of ``side`` pixels."""

    forward: Callable[..., Any]
    side: int

    def __call__(self, square: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (side, side, 3) in [0, 1] and the parts' middles (4, 2) -> the same, not clipped."""
        made = np.asarray(self.forward(square[None], centres[None].astype(np.float32)))[0]
        return np.asarray(made, np.float32)


def face_restorer() -> FaceNetwork:
    """The shipped face restorer. Raises WeightsError where it is not shipped."""
    return FaceNetwork(_traced("dictionary"), shipped.SHAPES["dictionary"]["side"])


@lru_cache(maxsize=8)
def _traced(name: str) -> Callable[..., Any]:
    return graph(shipped.warm(name))


def graph(model: keras.Model) -> Callable[..., Any]:
    """A network as a traced function of one picture, float32 (1, H, W, 3), and of what else it is told, if anything."""
    tf = runtime.tensorflow()
    signature = [tf.TensorSpec((1, *each.shape[1:]), tf.float32) for each in model.inputs]

    def forward(*inputs: Any) -> Any:
        return model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)

    made: Callable[..., Any] = tf.function(forward, input_signature=signature, autograph=False, jit_compile=False)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """A public checkpoint, read here. file and sha256 are shown wherever its results are."""

    kind: str
    file: str
    sha256: str
    scale: int
    halo: int
    multiple: int
    forward: Callable[..., Any]

    def worker(self, strength: float) -> Network:
        """The network as a worker."""
        tile = _TILE if self.kind == "srvgg" else _LARGE_TILE
        return Network(self.forward, self.scale, self.halo, self.multiple, tile, strength)


def imported(path: Path) -> Imported:
    """Read an upscaler's checkpoint: ESRGAN's RRDBNet or Real-ESRGAN's compact network, whichever it is.

    Raises MediaError that says what is wrong with the file.
    """
    try:
        stamp = path.stat().st_mtime_ns
    except (OSError, ValueError):
        raise MediaError("unreadable", "There is no network file called %(name)s.", name=path.name) from None
    return _imported(path, stamp)


@lru_cache(maxsize=2)
def _imported(path: Path, stamp: int) -> Imported:
    from ml.importers import CheckpointError, read_checkpoint

    faults = []
    for kind in ("rrdbnet", "srvgg"):
        try:
            model = read_checkpoint(kind, path)
        except CheckpointError as error:
            faults.append(str(error))
            continue
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        names = {layer.name for layer in model.layers}
        multiple = model.get_layer("unshuffle").factor if "unshuffle" in names else 1
        halo = _MOST_HALO if kind == "rrdbnet" else sum(type(layer).__name__ == "Conv2D" for layer in model.layers) + 1
        scale = int(model.name.rpartition("_x")[2])
        return Imported(kind, path.name, sha256, scale, max(8, halo), multiple, graph(model))
    raise MediaError(
        "unreadable",
        "%(name)s is no upscaler that can be read here: %(faults)s",
        name=path.name,
        faults=" ".join(faults),
    )
