"""Images a second through the detectors, beside the authors' Meso-4 as Keras's `predict` runs it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measuring import Table, interleave, milliseconds

if TYPE_CHECKING:
    import keras

ROOT = Path(__file__).resolve().parents[1]
BATCHES = (1, 8, 32)
WANTED = {1: 5.0, 32: 1.2}
ROUNDS = {1: 40, 8: 25, 32: 15}


def measure() -> list[Table]:
    """Run the benchmark."""
    from ml import runtime

    runtime.configure()
    from ml.detect.predictor import Predictor
    from ml.weights import store

    peer, words = authors_meso4()
    ours = {name: store.load(name) for name in ("meso4", "mesoinception4")}
    predictors = {
        "Meso-4": Predictor({"meso4": ours["meso4"]}),
        "MesoInception-4": Predictor({"mesoinception4": ours["mesoinception4"]}),
        "both in one call": Predictor(ours),
    }
    table = Table(
        "Detectors",
        ("batch", "network", "a call: median (quartiles)", "images a second", "times the peer's rate"),
        about=(
            f"Peer: {words}, called by `model.predict` of Keras on ready float32 crops. Unmask's predictor is given "
            "uint8 crops and converts them itself. All are timed by turns in one process, warm, 256 x 256 px."
        ),
    )
    for batch in BATCHES:
        crops = np.random.default_rng(0).integers(0, 256, (batch, 256, 256, 3), dtype=np.uint8)
        ready = crops.astype(np.float32) / 255.0
        calls = {"peer": lambda x=ready: peer.predict(x, batch_size=len(x), verbose=0)}
        calls |= {name: lambda p=p, x=crops: p.logits(x) for name, p in predictors.items()}
        found = interleave(calls, ROUNDS[batch], warm_up=4)
        for name, timing in found.items():
            ratio = found["peer"].ratio_to(timing)
            rate = f"{batch / timing.median:.0f}"
            shown = "Meso-4 by `predict` (peer)" if name == "peer" else name
            table.rows.append((str(batch), shown, milliseconds(timing), rate, "" if name == "peer" else f"{ratio:.2f}"))
            if name == "Meso-4" and batch in WANTED:
                table.held.append(
                    (
                        f"Meso-4 at batch {batch}: {ratio:.2f} times the peer, wanted {WANTED[batch]:.1f}",
                        ratio >= WANTED[batch],
                    )
                )
    return [table]


def authors_meso4() -> tuple[keras.Model, str]:
    """The authors' Meso-4 with their weights where the research data is at hand; else their layers, random weights."""
    from ml.networks.mesonet import build

    model = build("meso4", sigmoid=True)
    shared = Path(os.environ.get("UNMASK_SHARED_DATA") or ROOT.parent / "shared" / "data")
    weights = shared / "reference" / "mesonet" / "Meso4_DF.h5"
    if not weights.is_file():
        return model, "the authors' Meso-4 (their layers with random weights)"
    model.load_weights(weights)
    return model, "the authors' Meso-4 with their weights (Meso4_DF.h5)"
