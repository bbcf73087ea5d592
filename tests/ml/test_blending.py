"""Blends: the seam is where the mask is soft, nothing changes outside it, and the partner is what was blended into."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.faces import face_square
from ml.training.blending import KINDS, Blender
from ml.training.dataset import Row, Sample
from ml.training.leak import Outside
from tests.ml.drawn_faces import POINTS, drawn

if TYPE_CHECKING:
    from ml.faces import FaceFinder


@pytest.fixture(scope="module")
def people(finder: FaceFinder) -> list[Sample]:
    """The astronaut and her mirror image, who stands in for somebody else, and a drawn face without a mesh."""
    from skimage import data

    found = []
    picture = np.asarray(data.astronaut()[:300, 80:380], np.uint8)
    for number, pixels in enumerate((picture, np.ascontiguousarray(picture[:, ::-1]))):
        face = finder.find(pixels)[0]
        row = Row(f"{number}.png", "real", "drawn", f"g{number}", "train", face.size, POINTS, (0, 0, 300, 300))
        found.append(Sample(row, pixels, face_square(face), face.landmarks))
    row = Row("2.png", "real", "drawn", "g2", "train", 84.0, POINTS, (0, 0, 150, 150))
    return [*found, Sample(row, drawn(1), replace(found[0].square, cx=75.0, cy=80.0, side=120.0))]


@pytest.mark.parametrize("kind", KINDS)
def test_outside_its_mask_a_fake_is_its_partner(people: list[Sample], kind: str) -> None:
    blender = Blender(people)
    changed = 0
    for seed in range(12):
        blend = blender.blend(people[0], np.random.default_rng(seed), kind)
        assert blend.kind == kind
        difference = np.abs(blend.fake.astype(int) - blend.real).max(axis=2)
        assert difference[blend.mask < 1e-3].max() <= 1  # rounding
        inside = blend.mask > 0.5 * blend.mask.max()
        assert 0.01 < inside.mean() < 0.6
        changed += difference[inside].mean() > 1
        # The seam runs where the mask is neither whole nor nothing; the hottest cells lie inside the mask's support.
        assert blend.seam.max() > 200
        assert not blend.seam[blend.mask < 1e-3].any() or blend.seam[blend.mask < 1e-3].max() < 16
    assert changed >= 10


def test_the_same_generator_makes_the_same_blend(people: list[Sample]) -> None:
    one, two = (Blender(people).blend(people[0], np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(one.fake, two.fake)
    assert np.array_equal(one.seam, two.seam)


def test_only_a_self_blend_may_change_the_partner(people: list[Sample]) -> None:
    blender = Blender(people)
    same = {
        kind: [np.array_equal(blender.blend(people[0], np.random.default_rng(s), kind).real, people[0].pixels)
               for s in range(10)]
        for kind in KINDS
    }  # fmt: skip
    assert 0 < sum(same["self"]) < 10  # a coin decides which one is changed
    assert all(same["decoder"])
    assert all(same["other"])


def test_a_face_without_a_mesh_gets_no_strangers_face(people: list[Sample]) -> None:
    blender = Blender(people)
    blend = blender.blend(people[2], np.random.default_rng(1), "other")
    assert blend.kind == "decoder"
    assert blend.seam.max() > 200
    # Nor does the only person there is.
    assert Blender(people[:1]).blend(people[0], np.random.default_rng(1), "other").kind == "decoder"


def test_nothing_outside_the_mask_tells_a_fake_from_its_partner(people: list[Sample]) -> None:
    """What a classifier would need is not there: with the mask and its reach painted over, the two are one picture."""
    batch = Outside(people, 40, seed=1).at(0)
    fakes, reals = batch.pixels[0::2].astype(int), batch.pixels[1::2].astype(int)
    assert np.abs(fakes - reals).mean() < 0.02
    assert (np.abs(fakes - 128).max(axis=3) > 2).mean() > 0.1  # and there is something left to look at
    whole = Outside(people, 40, seed=1, inside=True).at(0)
    assert np.abs(whole.pixels[0::2].astype(int) - whole.pixels[1::2]).mean() > 1
