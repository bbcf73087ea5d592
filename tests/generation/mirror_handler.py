"""What runs of the test kind in the inference process, where there is no Django."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generation.exchange import GenerationResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from generation.exchange import GenerationRequest

WEIGHTS = {"none": "0" * 64}


def mirror(request: GenerationRequest, report: Callable[[str, int, int], None]) -> GenerationResult:
    from generation.handlers import safeguarding
    from ml.faces import FaceFinder
    from ml.provenance.plan import Work
    from ml.provenance.sealing import Still

    pixels = np.array(safeguarding.opened(request, "target"))
    seen = safeguarding.check_looks(request, pixels)
    report("mirror", 0, 1)
    with FaceFinder() as finder:
        faces = finder.find(pixels)
    safeguarding.check_people(request, "target", pixels, faces)
    for face in faces:
        x0, y0, x1, y1 = (max(0, round(value)) for value in face.box)
        pixels[y0:y1, x0:x1] = pixels[y0:y1, x0:x1][:, ::-1].copy()
    output = safeguarding.sealed(request, Work.SWAP, Still(pixels), weights=WEIGHTS)
    return GenerationResult((output,), weights=WEIGHTS, seen={"target": seen}, device="CPU (tests)")
