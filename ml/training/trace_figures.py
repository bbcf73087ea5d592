"""Measure a trained boundary or synthesis detector for its card.

``python -m ml.training.trace_figures --network boundary --run RUN --data FACES --work CACHE --out FIGURES.json``

All on the val split, with the float16 weights as they ship; a face counts with its mirror image, as in the product.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ml.training.dataset import Sample

    Scores = Callable[[NDArray[np.uint8]], NDArray[np.float64]]

TARGET_FPR = 0.05


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the figures as JSON. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.training.trace_figures", description=__doc__)
    parser.add_argument("--network", choices=("boundary", "synthesis"), required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--renders", type=Path, help="synthesis: folder of ml.training.renders")
    parser.add_argument("--portraits", action="store_true", help="synthesis: train portraits were trained on")
    parser.add_argument("--every", type=int, default=1, help="measure degradations on every so-manieth face only")
    parser.add_argument("--pairs", type=int, default=900, help="boundary: blends that are measured")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)

    from ml import runtime

    runtime.configure(1)
    from ml.networks.detectors import build
    from ml.training import dataset
    from ml.weights.publish import trained
    from ml.weights.store import pack, unpack

    dataset.prepare(options.data, options.work)
    whole = trained(options.network, options.run)
    half = build(options.network)
    half.set_weights(unpack(pack(whole.get_weights())))
    answer = _answers(half)
    samples = dataset.load(options.work, "val")
    found: dict[str, Any] = {
        "network": options.network,
        "made": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "device": runtime.device_name(),
        "fingerprint": dataset.fingerprint([s.row for s in samples]),
        "degradations": degraded(samples[:: options.every], _mirrored(answer)),
    }
    if options.network == "boundary":
        found |= boundary_figures(samples, answer, options.pairs)
    elif options.renders:
        train = [] if options.portraits else dataset.load(options.work, "train")
        portraits = [s for s in (*train, *samples) if s.row.label == "synthetic"]
        found |= synthesis_figures(samples, options.renders, portraits, _mirrored(answer))
    inputs = _cut(samples[::5])
    found["float16_moves"] = float(
        np.abs(answer(inputs)["logit"] - _answers(whole)(inputs)["logit"]).max()
    )  # fmt: skip
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps({k: v for k, v in found.items() if k != "degradations"}, indent=1) + "\n")
    return 0


def boundary_figures(samples: Sequence[Sample], answer: Callable[[Any], dict[str, Any]], pairs: int) -> dict[str, Any]:
    """AUC on the sets with both classes, on blends of val faces by kind, and of the map."""
    from ml.evaluate.metrics import auc, auc_interval, average_precision
    from ml.training.dataset import paired
    from ml.training.pairs import held_out

    subjects = paired([s for s in samples if s.row.label != "synthetic"])
    once = answer(_cut(subjects))["logit"][:, 0]
    scores = _mirrored(answer)(_cut(subjects))
    names = np.array([s.row.set for s in subjects])
    labels = np.array([s.row.manipulated for s in subjects])
    sets = {}
    for name in sorted(set(names.tolist())):
        here = names == name
        groups = [s.row.group for s, chosen in zip(subjects, here, strict=True) if chosen]
        low, high = auc_interval(labels[here], scores[here], groups)
        sets[name] = {
            "faces": int(here.sum()), "auc": auc(labels[here], scores[here]), "low": low, "high": high,
            "auc_without_mirror": auc(labels[here], once[here]),
        }  # fmt: skip
    blends, kinds = held_out(samples, pairs)
    found = answer(blends.pixels)
    truth, scores = blends.labels[:, 0].astype(int), _mirrored(answer)(blends.pixels)
    kind_of = np.repeat(np.array(kinds), 2)
    seam = (blends.maps[:, :, :, 0] > 127).astype(int)
    drawn = found["boundary"][:, :, :, 0]
    fakes = truth == 1
    return {
        "sets": sets,
        "blends": {"all": auc(truth, scores)}
        | {kind: auc(truth[kind_of == kind], scores[kind_of == kind]) for kind in sorted(set(kinds))},
        "blend_pairs": pairs,
        "map": {
            "average_precision_fakes": average_precision(seam[fakes].ravel(), drawn[fakes].ravel()),
            "average_precision_all": average_precision(seam.ravel(), drawn.ravel()),
            "seam_share_fakes": float(seam[fakes].mean()),
        },
    }


def synthesis_figures(
    samples: Sequence[Sample], renders: Path, portraits: Sequence[Sample], score: Scores
) -> dict[str, Any]:
    """AUC of every kind of rendering against the faces it was made from, and of portraits against reals of like size.

    Beside each stands what sharpness alone would tell, whichever way round it tells more.
    """
    from ml.detect.quality import sharpness
    from ml.evaluate.metrics import auc
    from ml.training.generators import KINDS, cleaned, resampled
    from ml.training.renders import matched, nearer, read
    from ml.training.synthesis import GIVEN_BACK

    reals = [s for s in samples if not s.row.manipulated]
    table = {}

    def enter(name: str, made: NDArray[np.uint8], real: NDArray[np.uint8]) -> None:
        labels = np.repeat([1, 0], [len(made), len(real)])
        plain = auc(labels, np.array([sharpness(picture) for picture in (*made, *real)], np.float64))
        scores = np.concatenate([score(made), score(real)])
        table[name] = {"made": len(made), "real": len(real), "auc": auc(labels, scores),
                       "sharpness_alone": max(plain, 1 - plain)}  # fmt: skip

    for kind in KINDS:
        if (renders / f"{kind}_val.json").is_file():
            pool = read(renders, kind, samples, "val")
            made = np.stack([_square_of(s, nearer(s.pixels, picture, GIVEN_BACK)) for s, picture in pool])
            enter(kind, made, _cut([sample for sample, _ in pool]))
    random = np.random.default_rng(8)
    some = [reals[i] for i in random.permutation(len(reals))[:300]]
    for name, change in (("resampled", resampled), ("cleaned", cleaned)):
        made = np.stack([_square_of(s, change(np.ascontiguousarray(s.pixels), random)) for s in some])
        enter(name, made, _cut(some))
    order = np.random.default_rng(7).permutation(len(reals))[:400]
    for side in (80, 110, 140):
        if portraits:
            like = [matched(reals[i], side) for i in order if reals[i].square.side >= side]
            enter(f"portraits, square of {side} px", _cut([matched(p, side) for p in portraits]), _cut(like))
    return {"kinds": table}


def degraded(samples: Sequence[Sample], score: Scores) -> dict[str, Any]:
    """Share of reals over the threshold that 5 % of the clean ones pass, and the AUC by set, for every degradation."""
    from ml.evaluate.degradations import DEGRADATIONS
    from ml.faces import cut
    from ml.networks.boundary import INPUT_SIZE
    from ml.training.loop import set_aucs

    subjects = [s for s in samples if s.row.label != "synthetic"]
    reals = np.array([not s.row.manipulated for s in subjects])
    names = np.array([s.row.set for s in subjects])
    table: dict[str, Any] = {}
    threshold = 0.0
    for name, change in DEGRADATIONS.items():
        crops = []
        for sample in subjects:
            seed = zlib.crc32(f"{name} {sample.row.path}".encode())
            changed, square = change(np.ascontiguousarray(sample.pixels), sample.square, np.random.default_rng(seed))
            crops.append(cut(changed, square, INPUT_SIZE))
        scores = score(np.stack(crops))
        if name == "none":
            threshold = float(np.quantile(scores[reals], 1 - TARGET_FPR))
        over = scores > threshold
        table[name] = {"fpr": float(over[reals].mean()), "auc": set_aucs(subjects, scores)} | {
            "fpr_sets": {kind: float(over[reals & (names == kind)].mean()) for kind in sorted(set(names.tolist()))}
        }
    return {"threshold": threshold, "table": table}


def _cut(samples: Sequence[Sample]) -> NDArray[np.uint8]:
    return np.stack([_square_of(sample, sample.pixels) for sample in samples])


def _square_of(sample: Sample, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from ml.faces import cut
    from ml.networks.boundary import INPUT_SIZE

    return cut(pixels, sample.square, INPUT_SIZE)


def _answers(model: Any) -> Callable[[Any], dict[str, Any]]:
    import tensorflow as tf

    forward = tf.function(
        lambda pixels: model(tf.cast(pixels, tf.float32) / 255.0, training=False), jit_compile=False, autograph=False
    )

    def answer(pixels: NDArray[np.uint8]) -> dict[str, Any]:
        parts = [forward(tf.constant(pixels[at : at + 64])) for at in range(0, len(pixels), 64)]
        parts = [part if isinstance(part, dict) else {"logit": part} for part in parts]
        return {name: np.concatenate([np.asarray(p[name], np.float64) for p in parts]) for name in parts[0]}

    return answer


def _mirrored(answer: Callable[[Any], dict[str, Any]]) -> Scores:
    def score(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        turned = np.ascontiguousarray(pixels[:, :, ::-1])
        return np.asarray((answer(pixels)["logit"] + answer(turned)["logit"])[:, 0] / 2, np.float64)

    return score


if __name__ == "__main__":
    sys.exit(main())
