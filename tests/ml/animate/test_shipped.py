"""The shipped motion model: what its card says, and that it moves a face it never saw nearer to the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from ml.animate.model import model_of, network_of
from ml.animate.motion import moved
from ml.animate.settings import Motion, MotionSettings
from ml.animate.square import square_of
from ml.evaluate.animation import better, kept_identity, markdown
from ml.networks.fomm import Keypoints
from ml.swap.reposing import Pose, repose
from ml.weights import MANIFEST, entries
from ml.weights.store import load_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.faces import Face

DOCS = Path(__file__).resolve().parents[3] / "docs" / "evaluation"


def test_the_figures_are_of_the_shipped_weights_and_hold_the_floors() -> None:
    found = json.loads((DOCS / "animation.json").read_text(encoding="utf-8"))
    assert entries()["motion"].sha256 in found["weights"]["motion"]
    assert (DOCS / "animation.md").read_text(encoding="utf-8") == markdown(found)
    means = {(row["task"], row["method"]): row for row in found["means"]}
    ours, copied = (means[("reconstruction", method)] for method in ("motion model", "copy the source"))
    assert ours["l1"] < copied["l1"]
    assert ours["keypoints"] < 0.5 * copied["keypoints"]
    assert means[("transfer", "motion model")]["motion"] < 0.6 * means[("transfer", "copy the source")]["motion"]
    assert means[("transfer", "motion model")]["identity"] < means[("transfer", "copy the driver")]["identity"]
    assert kept_identity(found) >= 0.9
    for key in ("l1", "keypoints"):
        wins, of = better(found, "reconstruction", key)
        assert of >= 7
        assert wins >= of - 1


def test_the_card_repeats_the_figures() -> None:
    card = (MANIFEST.parent / entries()["motion"].card).read_text(encoding="utf-8")
    found = json.loads((DOCS / "animation.json").read_text(encoding="utf-8"))
    for row in found["means"]:
        assert f"{row['identity']:.3f}" in card


@pytest.mark.parametrize("pose", [Pose(yaw=14), Pose(yaw=-14), Pose(pitch=9)])
def test_a_face_is_moved_nearer_to_a_picture_it_is_driven_by(
    pose: Pose, astronaut: tuple[NDArray[np.uint8], Face]
) -> None:
    """Two pictures of one face, of which the mesh made the second; the network knows nothing but the two."""
    model = model_of()
    pixels, face = astronaut
    pair = [repose(pixels, face.landmarks, each) for each in (Pose(), pose)]
    box = tuple(float(v) for v in (*pair[0][1].min(axis=0), *pair[0][1].max(axis=0)))
    square = square_of([(box[0], box[1], box[2], box[3])], *pair[0][0].shape[1::-1])
    source, driving = (square.cut(picture, model.size) for picture, _ in pair)
    portrait = model.portrait(source)
    aim = moved(portrait.keypoints, model.keypoints(driving[None]), 0, MotionSettings(Motion.ABSOLUTE, smoothing=0))
    made = model.make(portrait, aim).pixels[0]
    error, copied = (np.abs(each.astype(int) - driving).mean() for each in (made, source))
    assert error < 0.75 * copied, (error, copied)


def test_one_frame_is_made_as_in_a_batch_and_as_by_the_plain_network(
    astronaut: tuple[NDArray[np.uint8], Face],
) -> None:
    model, network = model_of(), network_of(load_arrays("motion"))
    picture = cv2.resize(astronaut[0], (model.size, model.size), interpolation=cv2.INTER_AREA)
    portrait = model.portrait(picture)
    own = portrait.keypoints
    two = Keypoints(own.value + np.array([[[0.05, 0]], [[0, 0.03]]], np.float32), own.jacobian.repeat(2, 0))
    both = model.make(portrait, two)
    alone = model.make(portrait, Keypoints(two.value[1:], two.jacobian[1:]))
    assert np.abs(both.pixels[1].astype(int) - alone.pixels[0]).max() <= 1
    plain = network.explain(picture[None] / 255.0, network.keypoints(picture[None] / 255.0), two)
    assert np.abs(plain.prediction * 255 - both.pixels).max() < 1.5
    assert np.abs(plain.deformation - both.flow).max() < 1e-3
    assert ((both.kept >= 0) & (both.kept <= 1)).all()


def test_weights_of_another_shape_are_refused() -> None:
    arrays = load_arrays("motion")
    with pytest.raises(ValueError, match="another network"):
        network_of([*arrays, np.zeros(3, np.float32)])
