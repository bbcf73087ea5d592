"""DFDNet, as it is imported, restores the faces of a picture: with made-up weights, at half its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from ml.errors import MediaError
from ml.faces import Face, FaceFinder
from ml.importers.converted import write_converted
from ml.networks.dfdnet import DFDNet, DFDNetConfig
from ml.restore import methods
from ml.restore.canvas import read
from ml.restore.enhance import enhanced
from ml.restore.imported_faces import SUFFIX, framed, imported, part_boxes
from ml.restore.task import Task
from ml.swap.alignment import mean_mesh

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SMALL = DFDNetConfig.of(256, 1)


@pytest.fixture(scope="module")
def found(astronaut: NDArray[np.uint8]) -> Face:
    with FaceFinder() as finder:
        return finder.find(astronaut)[0]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("networks") / f"made-up{SUFFIX}"
    model = DFDNet(SMALL, entries=2)
    random = np.random.default_rng(1)
    for layer in model.dictionaries:
        layer.set_entries(random.standard_normal((layer.count, layer.side, layer.side, layer.channels)))
    write_converted(path, "dfdnet", model, source="made-up.pth", sha256="0" * 64)
    return path


def test_the_square_is_the_authors() -> None:
    """Eyes and mouth of the mean face lie where their template has them: at 192 and 319, 240 and 371 of 512."""
    mesh = np.asarray(mean_mesh()[:, :2], np.float32)
    points = framed(mesh, 512).points(mesh)
    left, right, mouth = (points[list(part)].mean(axis=0) for part in ((33, 133), (263, 362), (61, 291)))
    assert np.allclose(left, (192, 240), atol=6)
    assert np.allclose(right, (319, 240), atol=6)
    assert np.allclose(mouth, (256, 371), atol=6)
    assert np.allclose(framed(mesh, 256).points(mesh), points / 2, atol=1)


def test_the_boxes_hold_their_parts_in_the_authors_order(found: Face) -> None:
    points = framed(found.landmarks, 512).points(found.landmarks)
    boxes = part_boxes(points)
    left, right, nose, mouth = boxes
    for box, places in ((left, (33, 133, 159)), (right, (263, 362, 386)), (nose, (4,)), (mouth, (61, 291, 13))):
        for place in places:
            assert (box[:2] < points[place] + 2).all()
            assert (points[place] - 2 < box[2:]).all()
    assert left[2] < right[0] + 20, "the one on the picture's left comes first"
    sides = boxes[:, 2:] - boxes[:, :2]
    assert np.allclose(sides[:, 0], sides[:, 1], atol=0.01)
    assert (sides > 30).all()
    assert (sides < 160).all()


def test_faces_are_restored_and_the_rest_stays(
    network: Path, astronaut: NDArray[np.uint8], found: Face, tmp_path: Path
) -> None:
    path = tmp_path / "picture.png"
    Image.fromarray(astronaut).save(path)
    canvas = read(path)
    ready = methods.ready(f"imported:{network}", Task.FACE, None, None, canvas)
    assert (ready.name, ready.generative, ready.strength) == (f"imported:{network.name}", True, 1.0)
    assert ready.origin.startswith(f"imported: {network.name}, ")
    assert network.name in ready.label
    done: list[int] = []
    made = enhanced(canvas, ready, lambda: done.append(1), [found]).colour
    change = np.abs(made.astype(int) - astronaut).max(axis=2)
    x0, y0, x1, y1 = (round(value) for value in found.box)
    assert change[y0:y1, x0:x1].mean() > 3
    assert change[y1 + 200 :].max() == 0
    assert change[:, :40].max() == 0
    half = methods.ready(f"imported:{network}", Task.FACE, 2, 0.5, canvas)
    assert half.worker.scale == 2


def test_what_it_cannot_do_is_said(network: Path, tmp_path: Path, astronaut: NDArray[np.uint8]) -> None:
    canvas: Any = None
    with pytest.raises(MediaError, match="enlarges by 1, 2 and 4, not by 3"):
        methods.ready(f"imported:{network}", Task.FACE, 3, None, canvas)
    with pytest.raises(MediaError, match="they do no denoise"):
        methods.ready(f"imported:{network}", Task.DENOISE, None, None, canvas)
    with pytest.raises(MediaError, match="no network file"):
        imported(tmp_path / "none.dfdnet.npz")
    wrong = tmp_path / "wrong.dfdnet.npz"
    wrong.write_bytes(b"not a network")
    with pytest.raises(MediaError, match="is no face restorer that can be read here"):
        methods.ready(f"imported:{wrong}", Task.FACE, None, None, canvas)
    assert methods.names(Task.FACE) == ("dictionary",), "an imported one is never among the built-in ones"
