"""The detectors by the names under which their weights ship."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml.networks import boundary, mesonet, synthesis

if TYPE_CHECKING:
    import keras

NAMES = (*mesonet.DETECTORS, "boundary", "synthesis")


def build(name: str) -> keras.Model:
    """Build the detector called ``name``, untrained. Raises ValueError for any other name.

    MesoNet's answer (N, 1) and so does "synthesis"; "boundary" answers a dictionary, see :func:`logit`.
    """
    if name == "boundary":
        return boundary.build()
    if name == "synthesis":
        return synthesis.build()
    return mesonet.build(name)


def logit(answer: Any) -> Any:
    """The logits (N, 1) in a detector's answer."""
    return answer["logit"] if isinstance(answer, dict) else answer


def input_size(name: str) -> int:
    """Side in pixels of the square that the detector takes."""
    return {"boundary": boundary.INPUT_SIZE, "synthesis": synthesis.INPUT_SIZE}.get(name, mesonet.INPUT_SHAPE[0])
