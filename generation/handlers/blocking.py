"""Describing the face of somebody who asked never to be swapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from generation.exchange import Portraits


def describe(request: Portraits, report: Callable[[str, int, int], None]) -> list[dict[str, Any]]:
    """One answer a portrait: its descriptor as bytes, or why there is none."""
    from ml.errors import MediaError
    from ml.faces import FaceFinder
    from ml.media import decode
    from ml.provenance import face_descriptor

    answers: list[dict[str, Any]] = []
    with FaceFinder() as finder:
        for number, (plea, path) in enumerate(request.files):
            report("describe", number, len(request.files))
            answer: dict[str, Any] = {"plea": plea, "method": face_descriptor.METHOD, "descriptor": b"", "why": ""}
            try:
                pixels = decode(path).pixels
                faces = finder.find(pixels)
                if len(faces) == 1:
                    answer["descriptor"] = face_descriptor.describe(pixels, faces[0]).astype("<f4").tobytes()
                else:
                    answer["why"] = f"The portrait shows {len(faces)} faces; exactly one is needed."
            except MediaError as error:
                answer["why"] = error.message
            answers.append(answer)
    return answers
