"""``python -m ml.training.swap_publish --run RUN --version 2026.11.1 --static static``: ship the people of a run.

Writes the shared encoder and everybody's decoder into the manifest, a decoder for each of ``PEOPLE`` beside the
catalogue, and a picture of each that the decoder painted. ``card`` writes the card, from the run and the evaluation
(``python -m ml evaluate swap``); no figure is typed in.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.provenance import visible_mark
from ml.provenance.plan import SOURCE_TYPES
from ml.provenance.source_statement import packet
from ml.swap.identity import SHARED, Identity
from ml.swap.people import CATALOG, EVERYBODY, Person
from ml.training.swap_people import EVERYBODY as COMMON
from ml.training.swap_people import PEOPLE
from ml.weights.store import MANIFEST, Entry, entries, publish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PICTURE = 256
CARD = "cards/swap.md"
_MARGIN, _FADE = 1.12, 0.09  # of the outline of the face that a picture shows


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.swap_publish", description=__doc__)
    parser.add_argument("what", choices=("people", "card"), nargs="?", default="people")
    parser.add_argument("--run", type=Path, required=True, help="folder of ml.training.swap_people")
    parser.add_argument("--version", default="2026.11.1")
    parser.add_argument("--static", type=Path, default=Path("static"), help="where people/SLUG.webp goes (static)")
    parser.add_argument("--first", type=Path, help="card: folder of ml.training.swap, with which the run began")
    parser.add_argument("--evaluation", type=Path, help="card: docs/evaluation/swap.json")
    parser.add_argument("--manifest", type=Path, default=MANIFEST)
    options = parser.parse_args(arguments)
    if options.what == "people":
        ship(options.run, options.version, options.static, options.manifest)
    else:
        text = card(options.run, options.first, options.evaluation, options.manifest)
        (options.manifest.parent / CARD).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{options.what} of {options.run.name}\n")
    return 0


def ship(run: Path, version: str, static: Path, manifest: Path = MANIFEST) -> None:
    """Write the weights, the catalogue and the pictures. Raises IdentityError where the run is not finished."""
    everybody = Identity.load(run / f"{COMMON}.identity")
    shared = publish(SHARED, [everybody.arrays[key] for key in everybody.shared_keys], version, manifest)
    common = f"{EVERYBODY}.identity"
    sha256 = everybody.save(manifest.parent / common, shared.sha256)
    _enter(manifest, SHARED, replace(shared, card=CARD))
    _enter(manifest, EVERYBODY, Entry(common, sha256, version, CARD, "trained here"))
    folder = manifest.parent / CATALOG.parent.name
    folder.mkdir(exist_ok=True)
    lines = []
    for sitter in PEOPLE:
        identity = Identity.load(run / f"{sitter.slug}.identity")
        file, picture = f"{sitter.slug}.identity", f"people/{sitter.slug}.webp"
        hashed = identity.save(folder / file, shared.sha256)
        lines.append(Person(sitter.slug, sitter.name, file, hashed, picture, sitter.about))
        write_picture(portrait(identity, run / f"{sitter.slug}.npz"), static / picture)
    text = json.dumps([asdict(line) for line in lines], indent=2) + "\n"
    (folder / CATALOG.name).write_text(text, encoding="utf-8")


def portrait(identity: Identity, faces: Path) -> NDArray[np.uint8]:
    """The person as the decoder paints them, uint8 (PICTURE, PICTURE, 3): the face on an even ground.

    faces: the run's faces of the person; the first, the portrait as it was, is what the decoder is shown.
    """
    import cv2

    from ml.swap.alignment import OVAL
    from ml.swap.face_set import FaceSet
    from ml.swap.swapper import Swapper

    first = FaceSet.load(faces)[:1]
    size, side = first.size, first.crops.shape[1]
    edge = (side - size) // 2
    shown = np.ascontiguousarray(first.crops[:, edge : edge + size, edge : edge + size])
    (painted,), _ = Swapper(identity.network()).paint(shown)
    large = np.asarray(cv2.resize(painted, (PICTURE, PICTURE), interpolation=cv2.INTER_LANCZOS4), np.float32)
    outline = (first.points[0, list(OVAL)] - edge + 0.5) * (PICTURE / size) - 0.5
    middle = outline.mean(axis=0)
    mask = np.zeros((PICTURE, PICTURE), np.uint8)
    grown = np.rint(middle + (outline - middle) * _MARGIN).astype(np.int32)
    cv2.fillConvexPoly(mask, cv2.convexHull(grown), (255,))
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), _FADE * PICTURE / 3)[..., None]
    # Beyond the face the decoder was asked for nothing: its mean colour there, and no shapes.
    ground = np.full(3, float(large[mask == 0].mean()), np.float32) * 0.35 + 150
    return np.asarray(np.clip(np.rint(ground + (large - ground) * soft), 0, 255), np.uint8)


def card(run: Path, first: Path | None, evaluation: Path | None, manifest: Path = MANIFEST) -> str:
    """The card as Markdown."""
    known = entries(manifest)
    files = [
        f"- `{known[name].file}`, version {known[name].version}, SHA-256 `{known[name].sha256}`."
        for name in (SHARED, EVERYBODY)
    ]
    folder = manifest.parent / CATALOG.parent.name
    for line in json.loads((folder / CATALOG.name).read_text(encoding="utf-8")):
        size = (folder / line["file"]).stat().st_size / 2**20
        files.append(f"- `people/{line['file']}` ({line['name']}, {size:.1f} MiB), SHA-256 `{line['sha256']}`.")
    everybody = Identity.load(run / f"{COMMON}.identity")
    parts = [
        "# Face swap: a shared encoder and the built-in people",
        "DeepFaceLab's DF shape at small width (Perov et al. 2020, arXiv 2005.05535): aligned faces of 96 x 96 px, RGB "
        "in [0, 1], to the face of the decoder's person and a mask. `swap_encoder` is what everybody shares; "
        "`swap_everybody` is the decoder that a person's own begins with.",
        "\n".join(files),
        "## Data",
        _data(run, everybody),
        "## Run",
        _run(run, first),
        "## Figures",
        _figures(evaluation),
        "## Known failures",
        "- The painted face has 96 pixels: on a large one it is soft, and without pores, lashes or single hairs.\n"
        "- Nobody's glasses, hands or hair in front of the face are kept; the mask is the outline of the mesh.\n"
        "- The built-in people come from one portrait each. Their teeth are invented, their profiles were never seen: "
        "beyond some 35 degrees of yaw the face smears.\n"
        "- Where a built-in person looks follows the target roughly, for the code has few words for gaze.\n"
        "- Photographs of children are among the faces that the encoder was trained on, as in the public set.",
    ]
    return "\n\n".join(parts) + "\n"


def _data(run: Path, everybody: Identity) -> str:
    from ml.swap.face_set import FaceSet

    counts: list[list[Any]] = []
    for sitter in PEOPLE:
        faces = FaceSet.load(run / f"{sitter.slug}.npz")
        shown = 0 if faces.shown is None else int((faces.shown != faces.crops).any(axis=(1, 2, 3)).sum())
        counts.append([sitter.name, len(faces) - shown, shown, f"`{faces.fingerprint}`"])
    begun = everybody.about["begun"]
    return (
        f"Everybody: {begun['faces']} faces (fingerprint `{begun['fingerprint']}`), real and synthetic ones of "
        "`split=train` and frames of clips whose people are in no pair of the evaluation (`ml.training.swap_faces`). "
        "The built-in people: one synthetic portrait each (Stable Diffusion 3, CC0), re-posed and lit anew "
        "(`ml.swap.reposing`), and carried onto the faces of everybody (`ml.swap.pairing`). No portrait is in a file; "
        "the pictures were painted by the decoders.\n\n"
        + _table(["person", "re-posed", "carried", "fingerprint"], counts)
    )


def _run(run: Path, first: Path | None) -> str:
    parts = []
    for folder, what in ((first, "Everybody alone"), (run, "Everybody and the people together")):
        if folder is None:
            continue
        with (folder / "history.csv").open(newline="", encoding="utf-8") as file:
            log = list(csv.DictReader(file))
        best = min(log, key=lambda line: float(line["val"]))
        chosen = log[:: max(1, len(log) // 12)]
        parts.append(
            f"{what}: {log[-1]['step']} steps in {float(log[-1]['seconds']):.0f} s of one thread of a shared "
            f"processor, in bfloat16; the weights are those of step {best['step']}, with the least loss on the val "
            "split.\n\n" + _table(list(log[0]), [list(line.values()) for line in chosen])
        )
    return "\n\n".join(parts)


def _figures(evaluation: Path | None) -> str:
    if evaluation is None:
        return "Not measured yet."
    from ml.evaluate.swap import markdown

    return (
        "Held-out pairs of clips, none of whose people were trained on here; a person learned for each pair from the "
        "first part of both clips, measured on the last (`python -m ml evaluate swap`).\n\n"
        + markdown(json.loads(evaluation.read_text(encoding="utf-8"))).rstrip()
    )


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _enter(manifest: Path, name: str, entry: Entry) -> None:
    known = entries(manifest) | {name: entry}
    content = {key: asdict(value) for key, value in sorted(known.items())}
    manifest.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_picture(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a painted picture with the visible mark below it, and IPTC's word for what it is in its metadata.

    No manifest: a site signs with a key of its own, and these come with the program.
    """
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    marked = Image.fromarray(visible_mark.burn_below(pixels, "Unmask"))
    marked.save(path, "WEBP", quality=88, method=6, xmp=packet(SOURCE_TYPES + "trainedAlgorithmicMedia"))


if __name__ == "__main__":
    sys.exit(main())
