"""Learning a person: pictures and clips in, an identity file out, with previews on the way."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ml import runtime
from ml.errors import MediaError
from ml.faces import FaceFinder
from ml.media import decode, header
from ml.networks.swap.swap_config import SWAP_96, SwapConfig
from ml.provenance import visible_mark
from ml.sentences import N_
from ml.swap.details import kept
from ml.swap.extraction import FEWEST, SMALLEST, Extraction, PoseCoverage, extract
from ml.swap.face_set import FaceSet, join
from ml.swap.identity import Identity
from ml.swap.pairing import pairs
from ml.swap.reposing import face_set
from ml.swap.tracking import FaceChoice, choose
from ml.swap.trainer import Look, Recipe, Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.swap import SwapNetwork

    Report = Callable[[str, int, int], None]
    Preview = Callable[[NDArray[np.uint8]], None]

PERSON, TARGET = "person", "target"

TURNED = 80
"""Faces that are made of a single picture."""

_AT_ONCE = 16  # of them, between two reports

_NO_FACE = {
    PERSON: N_(
        "No face was found in the picture of the person. Choose one in which the face is seen from the front and large."
    ),
    TARGET: N_(
        "No face was found in the picture of the target. Choose one in which the face is seen from the front and large."
    ),
}
_SMALL_FACE = {
    PERSON: N_(
        "The face in the picture of the person is %(size).0f pixels large; at least %(least).0f are needed. Choose a "
        "larger picture."
    ),
    TARGET: N_(
        "The face in the picture of the target is %(size).0f pixels large; at least %(least).0f are needed. Choose a "
        "larger picture."
    ),
}

QUICK = Recipe(
    1500, batch=8, rate=4e-4, last_rate=2e-5, beta1=0.9, flip=False, patience=8, look_steps=50, checkpoint_seconds=20
)
"""At most ten minutes on two cores at 96 pixels."""


@dataclass(frozen=True, slots=True)
class LearnRequest:
    """source: clips and photos of the person to be painted. target: of the one whose face will be replaced.

    The decoder is shown both people's faces, and the encoder learns along. A single picture of either is turned and lit
    in many ways (``ml.swap.reposing``), which gives less than a clip does; ``face`` says which of several faces of such
    a target is meant. work: a folder of this request's own, in which faces and checkpoints are kept; a request that is
    run again goes on from them. start: an identity file of the same shape whose weights to begin with
    (``ml.swap.people.start_for`` names the shipped one), or None for new ones.
    """

    source: tuple[Path, ...]
    target: tuple[Path, ...]
    work: Path
    out: Path
    name: str
    config: SwapConfig = SWAP_96
    recipe: Recipe = QUICK
    start: Path | None = None
    site: str = "Unmask"
    face: FaceChoice = FaceChoice.LARGEST


@dataclass(frozen=True, slots=True, eq=False)
class LearnResult:
    """What was learned: the identity's file and SHA-256, what its faces cover, what was left out, and the losses."""

    out: Path
    sha256: str
    faces: int
    coverage: PoseCoverage
    dropped: dict[str, int]
    history: tuple[Look, ...]
    seconds: float
    device: str
    about: dict[str, Any] = field(default_factory=dict)


def run(
    request: LearnRequest,
    report: Report,
    preview: Preview | None = None,
    *,
    enough: Callable[[], bool] | None = None,
    looked: Callable[[list[Look]], None] | None = None,
) -> LearnResult:
    """Gather both people's faces, train, and write the identity.

    Stages told to ``report``, which may raise to stop (what was done is kept): extract, train. ``preview`` is given a
    strip of source, reconstruction, target and swap every few seconds, with the visible mark below. ``enough`` and
    ``looked`` are those of :meth:`ml.swap.trainer.Trainer.train`. Raises MediaError for files that cannot be used,
    among them too_few_faces.
    """
    request.work.mkdir(parents=True, exist_ok=True)
    source = _gathered(request, PERSON, request.source, report)
    target = _gathered(request, TARGET, request.target, report)
    start = None if request.start is None else Identity.load(request.start)
    trainer = trainer_for(source.faces, target.faces, request.work, request.recipe, start, request.config)
    shown = None if preview is None else _marked(preview, request.site)
    history = trainer.train(report, shown, target.faces, enough=enough, looked=looked)
    about = {
        "steps": trainer.step,
        "seconds": round(trainer.seconds, 1),
        "best_val": round(trainer.best, 5),
        "faces": source.faces.fingerprint,
        "sources": [_sha256(path) for path in request.source],
        "recipe": asdict(request.recipe),
    }
    sha256 = Identity.of(trainer.network, PERSON, request.name, about, kept(source.faces)).save(request.out)
    return LearnResult(
        request.out,
        sha256,
        len(source.faces),
        source.coverage,
        source.dropped,
        tuple(history),
        trainer.seconds,
        runtime.device_name(),
        about,
    )


def trainer_for(
    source: FaceSet,
    target: FaceSet,
    work: Path,
    recipe: Recipe,
    start: Identity | None = None,
    config: SwapConfig = SWAP_96,
) -> Trainer:
    """The run in which the person of ``source`` is learned for the face of ``target``; its one identity is PERSON.

    Half of what it sees are the person's own faces; the other half are the target's, with the person's face carried
    into their place as what should come out (``ml.swap.pairing``). start: whose weights to begin with.
    """
    runtime.configure()
    import keras

    from ml.networks.swap import build_swap_network

    keras.utils.set_random_seed(recipe.seed)
    network = build_swap_network(config, (PERSON,), runtime.training_precision())
    if start is not None:
        begin_with(network, start)
    random = np.random.default_rng(recipe.seed)
    parts = []
    for own, other in zip(source.split(), target.split(), strict=True):
        paired = pairs(own, other, len(own), random)
        parts.append(join([own, paired]) if len(paired) else own)
    return Trainer(network, {PERSON: (parts[0], parts[1])}, work, recipe)


def begin_with(network: SwapNetwork, start: Identity) -> None:
    """Give the shared part, and every person's decoder, the weights of a trained identity of the same shape."""
    if start.config != network.config:
        raise ValueError(f"{start.name} is of another shape than the network")
    begun = start.network()
    for part, model in begun.models("person").items():
        own = part.removeprefix("person/")
        targets = [network.shared[own]] if own in network.shared else [network.own[n][own] for n in network.identities]
        for each in targets:
            each.set_weights(model.get_weights())


def _gathered(request: LearnRequest, role: str, sources: Sequence[Path], report: Report) -> Extraction:
    """The faces of one person, taken up from the work folder when the same files were gathered there before."""
    stamp = f"{request.config.size}-{'-'.join(map(_sha256, sources))}"
    faces, facts = request.work / f"{role}.npz", request.work / f"{role}.json"
    if faces.is_file() and facts.is_file():
        said = json.loads(facts.read_text(encoding="utf-8"))
        if said["stamp"] == stamp:
            held = FaceSet.load(faces)
            return Extraction(held, PoseCoverage.of(held.yaw, held.pitch), said["looked_at"], said["dropped"])
    if len(sources) < FEWEST and all(map(_is_picture, sources)):
        found = _turned(request, role, sources, report)
    else:
        found = extract(sources, request.config.size, report)
    found.faces.save(faces)
    fresh = facts.with_suffix(".part")
    fresh.write_text(
        json.dumps({"stamp": stamp, "looked_at": found.looked_at, "dropped": found.dropped}), encoding="utf-8"
    )
    fresh.replace(facts)
    return found


def _is_picture(path: Path) -> bool:
    with path.open("rb") as file:
        return header.sniff(file.read(64)) is not None


def _turned(request: LearnRequest, role: str, sources: Sequence[Path], report: Report) -> Extraction:
    """Faces made of one or a few pictures. Raises MediaError for one without a face that is large enough."""
    sets: list[FaceSet] = []
    random = np.random.default_rng(request.recipe.seed)
    with FaceFinder() as finder:
        for number, source in enumerate(sources):
            pixels = decode(source).pixels
            height, width = pixels.shape[:2]
            which = request.face if role == TARGET else FaceChoice.LARGEST
            face = choose(finder.find(pixels), which, width, height)
            if face is None:
                raise MediaError("no_face", _NO_FACE[role])
            if face.size < SMALLEST:
                raise MediaError("face_too_small", _SMALL_FACE[role], size=face.size, least=SMALLEST)
            each = max(1, TURNED // len(sources))
            for made in range(0, each, _AT_ONCE):
                report("extract", number * each + made, len(sources) * each)
                count = min(_AT_ONCE, each - made)
                sets.append(face_set(pixels, face, count, request.config.size, random))
    report("extract", 1, 1)
    faces = join(sets)
    return Extraction(faces, PoseCoverage.of(faces.yaw, faces.pitch), len(sources), {})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _marked(preview: Preview, site: str) -> Preview:
    def show(strip: NDArray[np.uint8]) -> None:
        height, width = strip.shape[:2]
        below = len(visible_mark.band(width, max(height, visible_mark.SHORTEST_SIDE), site))
        preview(visible_mark.burn(np.pad(strip, ((0, below), (0, 0), (0, 0))), site))

    return show
