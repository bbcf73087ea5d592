"""The weights that Unmask ships."""

from ml.weights.store import MANIFEST, Entry, WeightsError, entries, load, weights_version

__all__ = ["MANIFEST", "Entry", "WeightsError", "entries", "load", "weights_version"]
