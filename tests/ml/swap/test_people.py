"""Built-in people: what the catalogue says is what is there, and identities apart from their encoder come together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.swap import identity as identities
from ml.swap.identity import SHARED, Identity, IdentityError
from ml.swap.people import catalog, load, path_of, start_for
from ml.weights import store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ml.networks.swap import SwapNetwork


@pytest.fixture
def shipped(
    tmp_path: Path, small_network: Callable[..., SwapNetwork], monkeypatch: pytest.MonkeyPatch
) -> tuple[Identity, str]:
    """A small identity whose shared part lies in a manifest of its own; and that part's hash."""
    whole = Identity.of(small_network(), "a", "Ann", {"synthetic": True})
    manifest = tmp_path / "manifest.json"
    entry = store.publish(SHARED, [whole.arrays[key] for key in whole.shared_keys], "2026.1", manifest)
    load_arrays, entries = store.load_arrays, store.entries
    monkeypatch.setattr(store, "load_arrays", lambda name: load_arrays(name, manifest))
    monkeypatch.setattr("ml.weights.entries", lambda: entries(manifest))
    identities._shared_part.cache_clear()
    yield whole, entry.sha256
    identities._shared_part.cache_clear()


def test_an_identity_apart_from_its_encoder_is_the_same_one(tmp_path: Path, shipped: tuple[Identity, str]) -> None:
    whole, shared = shipped
    path = tmp_path / "ann.identity"
    whole.save(path, shared)
    assert path.stat().st_size < 0.8 * len(whole.to_bytes())
    read = Identity.load(path)
    assert (read.name, read.config, read.about) == (whole.name, whole.config, whole.about)
    assert set(read.arrays) == set(whole.arrays)
    assert all(np.allclose(read.arrays[key], whole.arrays[key], atol=2e-3) for key in whole.arrays)
    assert read.to_bytes() == whole.to_bytes()


def test_another_encoder_than_its_own_is_refused(tmp_path: Path, shipped: tuple[Identity, str]) -> None:
    whole, _ = shipped
    path = tmp_path / "ann.identity"
    whole.save(path, "0" * 64)
    with pytest.raises(IdentityError, match="another version"):
        Identity.load(path)


def test_the_catalogue_names_the_bytes(tmp_path: Path, shipped: tuple[Identity, str]) -> None:
    whole, shared = shipped
    sha256 = whole.save(tmp_path / "ann.identity", shared)
    line = {"slug": "ann", "name": "Ann", "file": "ann.identity", "sha256": sha256, "picture": "", "about": ""}
    listed = tmp_path / "catalog.json"
    listed.write_text(json.dumps([line]), encoding="utf-8")
    assert [person.slug for person in catalog(listed)] == ["ann"]
    assert load("ann", listed).name == "Ann"
    with pytest.raises(IdentityError, match="nobody"):
        path_of("bob", listed)
    (tmp_path / "ann.identity").write_bytes(b"something else")
    with pytest.raises(IdentityError, match="not the file"):
        path_of("ann", listed)
    (tmp_path / "ann.identity").unlink()
    with pytest.raises(IdentityError, match="missing"):
        path_of("ann", listed)
    listed.write_text("{}", encoding="utf-8")
    with pytest.raises(IdentityError, match="cannot be read"):
        path_of("ann", tmp_path / "none.json")
    assert catalog(listed) == ()


def test_a_start_is_of_the_shape_that_is_asked_for(small_network: Callable[..., SwapNetwork]) -> None:
    assert start_for(small_network().config) is None
