"""The detectors' own score of what was made, beside that of what it was made from: measured, and told to its owner.

Nothing here feeds back into what is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ml.swap.tracking import FaceChoice


def score(pictures: Sequence[NDArray[np.uint8]], choice: FaceChoice) -> dict[str, Any]:
    """What the detectors say of the face that is meant, in one picture or in several frames of a clip.

    `probability` is the calibrated P(manipulated), the middle one of the frames; `level` the verdict that goes with
    it; `detectors` each detector's own in that frame; `judged` of how many `looked_at` frames could be judged. Pixels
    alone are looked at, not the manifest: that would give the answer away.
    """
    from ml.detect import quality
    from ml.detect.calibration import sigmoid
    from ml.detect.check import checker
    from ml.swap.tracking import choose

    judge = checker()
    found: list[dict[str, Any]] = []
    for pixels in pictures:
        height, width = pixels.shape[:2]
        face = choose(judge.finder.find(pixels), choice, width, height)
        if face is None:
            continue
        crops = judge.cut_faces(pixels, [face])
        (evidence,) = judge.evidence(crops, lambda *_: None)
        verdict = judge.judge_face(face.size, evidence, quality.sharpness(crops.shown[0]))
        if verdict.probability is None:
            continue
        own = {
            name: round(sigmoid(judge.calibration.logit(name, raw)), 4) for name, raw in sorted(evidence.plain.items())
        }
        probability = round(float(verdict.probability), 4)
        found.append({"probability": probability, "level": verdict.level.value, "detectors": own})
    found.sort(key=lambda each: each["probability"])
    middle: dict[str, Any] = {"probability": None, "level": "not_applicable", "detectors": {}}
    if found:
        middle = found[len(found) // 2]
    return middle | {"judged": len(found), "looked_at": len(pictures)}
