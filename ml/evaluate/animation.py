"""The motion model measured on people whom it never saw, against two baselines: copy the source, copy the driver.

Reconstruction: the first frame of a clip is moved to later frames of the same clip, which are the truth. Here copying
the driver would be the truth itself. Transfer: the first frame of one person's clip is moved, relative to the start, as
another person moves; here copying the driver shows the wrong person, and copying the source does not move.

Every measure is better when smaller:

- L1: mean absolute difference to the true frame, 0 to 1, at the network's size;
- keypoints: mean distance of the MediaPipe mesh to the true frame's, in distances between the eyes' outer corners;
- motion: as keypoints, but of how far every point has moved since the start, against how far the driver's has;
- identity: distance of the face to that of the source's person by ``ml.provenance.face_descriptor`` (0 to 2).
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ml import runtime
from ml.faces import FaceFinder
from ml.provenance import face_descriptor

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.animate.model import MotionModel
    from ml.faces import Face

    Pictures = NDArray[np.uint8]

logger = logging.getLogger(__name__)

OURS, SOURCE, DRIVER = "motion model", "copy the source", "copy the driver"
_SHOWN = 256  # pixels a side at which faces are looked for and described
_OUTER_CORNERS = (33, 263)
_SKIN = 468


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``python -m ml.evaluate animation``."""
    parser.add_argument("--clips", type=Path, required=True, help="folder with index.csv and the square clips")
    parser.add_argument("--frames", type=int, default=12, help="frames measured of each clip (12)")
    parser.add_argument("--run", type=Path, help="measure the best weights of a training run, not the shipped ones")
    parser.add_argument("--write", type=Path, help="folder for animation.json and animation.md")


def run(options: argparse.Namespace) -> int:
    """Measure, print the tables, and write them where asked."""
    runtime.configure()
    from ml.animate.model import MotionModel, model_of, network_of

    if options.run is None:
        model = model_of()
    else:
        from ml.training.animation_run import best_weights

        model = MotionModel(network_of(best_weights(options.run)), {"motion": f"run {options.run.name}"})
    found = measure(model, options.clips, options.frames)
    text = markdown(found)
    print(text)  # noqa: T201  # the answer of the command
    if options.write is not None:
        (options.write / "animation.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        (options.write / "animation.md").write_text(text, encoding="utf-8")
    return 0


def measure(model: MotionModel, clips: Path, frames: int) -> dict[str, Any]:
    """Every figure, per person and in the mean."""
    from ml.training.animation_faces import chosen_clips, frames_of, split_of

    rows = [row for row in chosen_clips(clips) if split_of(row["identity"]) == "test"]
    people: dict[str, Pictures] = {}
    for row in rows:
        if row["identity"] not in people:
            every = list(frames_of(clips / row["file"], _SHOWN, 1))
            at = np.linspace(0, len(every) - 1, frames + 1).round().astype(int)
            people[row["identity"]] = np.stack([every[index] for index in at])
    names = sorted(people)
    measured: list[dict[str, Any]] = []
    with FaceFinder() as finder:
        for number, name in enumerate(names):
            logger.info("%s", name)
            for method, figures in _reconstructed(model, people[name], finder).items():
                measured.append({"task": "reconstruction", "person": name, "method": method, **figures})
            driver = names[(number + 1) % len(names)]
            for method, figures in _transferred(model, people[name], people[driver], finder).items():
                measured.append({"task": "transfer", "person": name, "driver": driver, "method": method, **figures})
    return {
        "made": datetime.now(UTC).date().isoformat(),
        "weights": model.weights,
        "device": runtime.device_name(),
        "people": len(names),
        "frames": frames,
        "rows": measured,
        "means": _means(measured),
    }


def _reconstructed(model: MotionModel, clip: Pictures, finder: FaceFinder) -> dict[str, dict[str, float]]:
    small = _small(clip, model.size)
    made = _shown(_moved(model, small[0], small, absolute=True))
    truth, source = clip[1:], clip[:1]
    wanted = [_face(finder, each) for each in truth]
    person = _descriptor(source[0], _face(finder, source[0]))
    found = {}
    for method, pictures in ((OURS, made), (SOURCE, source.repeat(len(truth), 0))):
        faces = [_face(finder, each) for each in pictures]
        found[method] = {
            "l1": float(np.abs(_small(pictures, model.size) / 255.0 - small[1:] / 255.0).mean()),
            "keypoints": _mean([_apart(a, b) for a, b in zip(faces, wanted, strict=True)]),
            "identity": _identity(pictures, faces, person),
        }
    return found


def _transferred(
    model: MotionModel, clip: Pictures, driver: Pictures, finder: FaceFinder
) -> dict[str, dict[str, float]]:
    source = _small(clip[:1], model.size)[0]
    made = _shown(_moved(model, source, _small(driver, model.size), absolute=False))
    first = _face(finder, clip[0])
    person = _descriptor(clip[0], first)
    theirs = [_face(finder, each) for each in driver]
    found = {}
    for method, pictures, start in (
        (OURS, made, first),
        (SOURCE, clip[:1].repeat(len(driver) - 1, 0), first),
        (DRIVER, driver[1:], theirs[0]),
    ):
        faces = [_face(finder, each) for each in pictures]
        moves = [_way(face, start) for face in faces]
        wanted = [_way(face, theirs[0]) for face in theirs[1:]]
        found[method] = {
            "motion": _mean(
                [None if a is None or b is None else float(np.linalg.norm(a - b, axis=1).mean())
                 for a, b in zip(moves, wanted, strict=True)]
            ),
            "identity": _identity(pictures, faces, person),
        }  # fmt: skip
    return found


def _moved(model: MotionModel, source: Pictures, driver: Pictures, *, absolute: bool) -> Pictures:
    from ml.animate.motion import moved
    from ml.animate.settings import Motion, MotionSettings
    from ml.networks.fomm import Keypoints

    portrait = model.portrait(source)
    keypoints = model.keypoints(driver)
    settings = MotionSettings(Motion.ABSOLUTE if absolute else Motion.RELATIVE, smoothing=0)
    aim = moved(portrait.keypoints, keypoints, 0, settings)
    return model.make(portrait, Keypoints(aim.value[1:], aim.jacobian[1:])).pixels


def _small(pictures: Pictures, side: int) -> Pictures:
    return np.stack([cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in pictures])


def _shown(pictures: Pictures) -> Pictures:
    return np.stack([cv2.resize(each, (_SHOWN, _SHOWN), interpolation=cv2.INTER_CUBIC) for each in pictures])


def _face(finder: FaceFinder, pixels: Pictures) -> Face | None:
    return next(iter(finder.find(pixels, 1)), None)


def _descriptor(pixels: Pictures, face: Face | None) -> NDArray[np.float32] | None:
    return None if face is None else face_descriptor.describe(pixels, face)


def _identity(pictures: Pictures, faces: Sequence[Face | None], person: NDArray[np.float32] | None) -> float:
    if person is None:
        return float("nan")
    return _mean(
        [
            None if face is None else face_descriptor.distance(face_descriptor.describe(each, face), person)
            for each, face in zip(pictures, faces, strict=True)
        ]
    )


def _eyes(face: Face) -> float:
    first, last = face.landmarks[list(_OUTER_CORNERS)]
    return max(1.0, float(np.hypot(*(first - last))))


def _apart(face: Face | None, other: Face | None) -> float | None:
    if face is None or other is None:
        return None
    return float(np.linalg.norm(face.landmarks[:_SKIN] - other.landmarks[:_SKIN], axis=1).mean()) / _eyes(other)


def _way(face: Face | None, start: Face | None) -> NDArray[np.float32] | None:
    """How far each point has moved since the start, in distances between the eyes."""
    if face is None or start is None:
        return None
    return np.asarray((face.landmarks[:_SKIN] - start.landmarks[:_SKIN]) / _eyes(start), np.float32)


def _mean(values: Sequence[float | None]) -> float:
    found = [value for value in values if value is not None]
    return float(np.mean(found)) if found else float("nan")


def _means(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    means = []
    for task, method in dict.fromkeys((row["task"], row["method"]) for row in rows):
        mine = [row for row in rows if (row["task"], row["method"]) == (task, method)]
        keys = [key for key in ("l1", "keypoints", "motion", "identity") if key in mine[0]]
        means.append({"task": task, "method": method} | {key: _mean([row[key] for row in mine]) for key in keys})
    return means


def better(found: dict[str, Any], task: str, key: str) -> tuple[int, int]:
    """For how many people the model is better than copying the source, and for how many there are figures."""
    ours = {row["person"]: row[key] for row in found["rows"] if (row["task"], row["method"]) == (task, OURS)}
    copied = {row["person"]: row[key] for row in found["rows"] if (row["task"], row["method"]) == (task, SOURCE)}
    return sum(ours[name] < copied[name] for name in ours), len(ours)


def kept_identity(found: dict[str, Any]) -> float:
    """Likeness (1 - distance) to the source's person in transfer, over that in reconstruction."""
    by_task = {row["task"]: 1 - row["identity"] for row in found["means"] if row["method"] == OURS}
    return float(by_task["transfer"] / by_task["reconstruction"])


def markdown(found: dict[str, Any]) -> str:
    """The figures as a page."""
    from ml.weights.card import table

    means = {(row["task"], row["method"]): row for row in found["means"]}
    parts = [
        "# Image animation, measured",
        f"{found['made']}, {found['weights']['motion']}, on {found['device']}: {found['people']} people whom neither "
        f"training nor the choice of the weights saw, {found['frames']} frames each. Written by "
        "`python -m ml evaluate animation --clips DIR --write docs/evaluation`; `ml/evaluate/animation.py` says what "
        "each figure is. Smaller is better.",
        "## Reconstruction: the first frame moved to later ones of the same clip",
        table(
            ["method", "L1", "keypoints", "identity"],
            [[m, means[("reconstruction", m)]["l1"], means[("reconstruction", m)]["keypoints"],
              means[("reconstruction", m)]["identity"]] for m in (OURS, SOURCE)]
            + [[f"{DRIVER} (the truth itself)", 0.0, 0.0, None]],
        ),
        "Better than copying the source: "
        + "; ".join(f"{key} for {n} of {of} people" for key in ("l1", "keypoints")
                    for n, of in [better(found, "reconstruction", key)]) + ".",
        "## Transfer: one person's first frame moved as another person moves",
        table(
            ["method", "motion", "identity"],
            [[m, means[("transfer", m)]["motion"], means[("transfer", m)]["identity"]] for m in (OURS, SOURCE, DRIVER)],
        ),
        f"Likeness to the source's person (1 - distance) in transfer is {kept_identity(found):.0%} of that in "
        "reconstruction.",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"
