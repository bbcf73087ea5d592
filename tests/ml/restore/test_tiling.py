"""Tiles: they cover the picture once, and no seam shows, because a core sees all that the whole picture would show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ml.restore import neural, shipped
from ml.restore.classical import Interpolation, NonLocalMeans, UnsharpMask
from ml.restore.tiling import run_tiled, tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.restore.tiling import Worker


@pytest.mark.parametrize(
    ("height", "width", "longest", "multiple"), [(1, 1, 64, 1), (1, 300, 64, 2), (130, 7, 64, 4), (64, 65, 64, 2)]
)
def test_cores_cover_every_pixel_once(height: int, width: int, longest: int, multiple: int) -> None:
    seen = np.zeros((height, width), int)
    for tile in tiles(height, width, longest, multiple):
        seen[tile.y0 : tile.y1, tile.x0 : tile.x1] += 1
        assert tile.y0 % multiple == tile.x0 % multiple == 0
        assert max(tile.y1 - tile.y0, tile.x1 - tile.x0) <= longest
    assert (seen == 1).all()


def test_advance_is_called_per_tile_and_stops_the_work(astronaut: NDArray[np.uint8]) -> None:
    class Stop(Exception):
        pass

    calls = []

    def advance() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Stop

    with pytest.raises(Stop):
        run_tiled(replace(Interpolation(2), tile=32), astronaut[:96, :96], advance)
    assert len(calls) == 3


CLASSICAL = [Interpolation(2), Interpolation(4, lanczos=True), UnsharpMask(2.0), NonLocalMeans(20.0)]


@pytest.mark.parametrize("worker", CLASSICAL, ids=["bicubic", "lanczos", "unsharp", "nlmeans"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_classical_methods_leave_no_seam(worker: Any, depth: type, astronaut: NDArray[np.uint8]) -> None:
    picture = astronaut[:90, :101].astype(depth) * (257 if depth is np.uint16 else 1)
    whole = run_tiled(worker, picture, whole=True)
    cut = run_tiled(replace(worker, tile=32), picture)
    assert whole.dtype == depth
    assert _difference(whole, cut) < 1 / 255 / 20, "interior tile edges are seen"


# Not here: the face restorer, which is given squares and no tiles, and ESRGAN, which sees further than its halo reaches
# and so is held to what can be seen, in test_shipped.
EXACT = [name for name in shipped.available() if name == "restorer" or name.startswith("compact")]


@pytest.mark.parametrize("name", EXACT)
def test_networks_leave_no_seam(name: str, astronaut: NDArray[np.uint8]) -> None:
    worker: Worker = (
        neural.restorer((0.4, 0.0, 0.0)) if name == "restorer" else neural.upscaler(int(name[-1]), strength=0.7)
    )
    picture = astronaut[:91, 100:203].astype(np.uint16) * 257  # odd sides; 16 bits, so that rounding hides nothing
    whole = run_tiled(worker, picture, whole=True)
    cut = run_tiled(replace(worker, tile=32), picture)  # type: ignore[type-var]
    assert _difference(whole, cut) < 2 / 65535
    # The test can fail: with half the halo the seams are there.
    short = run_tiled(replace(worker, tile=32, halo=2), picture)  # type: ignore[type-var]
    assert _difference(whole, short) > 1 / 65535


def test_an_imported_esrgan_leaves_no_seam_that_can_be_seen(astronaut: NDArray[np.uint8]) -> None:
    import keras

    from ml.networks.rrdbnet import build_rrdbnet

    keras.utils.set_random_seed(4)
    model = build_rrdbnet(scale=2, features=8, blocks=3, growth=4)
    found = neural.Imported("rrdbnet", "x.pth", "0" * 64, 2, 32, 2, neural.graph(model))
    worker = found.worker(1.0)
    picture = astronaut[:130, 100:231]
    whole, cut = run_tiled(worker, picture, whole=True), run_tiled(replace(worker, tile=64), picture)
    assert whole.shape == (260, 262, 3)
    assert _difference(whole, cut) <= 1 / 255


def test_one_pixel(astronaut: NDArray[np.uint8]) -> None:
    for worker in CLASSICAL:
        made = run_tiled(worker, astronaut[:1, :1])
        assert made.shape == (worker.scale, worker.scale, 3)


def _difference(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max() / np.iinfo(one.dtype).max)
