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
TITLES = {"meso4": "Meso-4", "mesoinception4": "MesoInception-4", "boundary": "Boundary", "synthesis": "Synthesis"}


def measure() -> list[Table]:
    """Run the benchmark."""
    from ml import runtime

    runtime.configure()
    from benchmarks import litert
    from ml.detect.crops import SHOWN, Crops
    from ml.detect.predictor import Predictor, shipped_view
    from ml.weights import store

    peer, words = authors_meso4()
    shipped = [name for name in TITLES if name in store.entries()]
    ours = {name: store.load(name) for name in shipped}
    views = {name: shipped_view(name) for name in shipped}
    predictors = {TITLES[name]: Predictor({name: ours[name]}, views) for name in shipped}
    predictors["all in one call"] = Predictor(ours, views)
    # The folded graphs of the larger networks are what LiteRT is compared on: see docs/adr/0008 and 0009.
    lite = {
        f"{TITLES[name]}, LiteRT, {threads} thread{'s' * (threads > 1)}": (
            litert.serve(ours[name], views[name].size, threads),
            views[name],
        )
        for name in shipped
        if name in {"boundary", "synthesis"}
        for threads in sorted({1, runtime.usable_cores()})
    }
    table = Table(
        "Detectors",
        ("batch", "network", "a call: median (quartiles)", "images a second", "times the peer's rate"),
        about=(
            f"Peer: {words}, called by `model.predict` of Keras on ready float32 crops. Unmask's predictor is given "
            "uint8 crops and converts them itself. All are timed by turns in one process, warm; MesoNet at 256 x 256 "
            "px, the others at 128 x 128. Under LiteRT run the same folded networks, converted, beside TensorFlow in "
            "its process."
        ),
    )
    for batch in BATCHES:
        crops = np.random.default_rng(0).integers(0, 256, (batch, 256, 256, 3), dtype=np.uint8)
        ready = crops.astype(np.float32) / 255.0
        calls = {"peer": lambda x=ready: peer.predict(x, batch_size=len(x), verbose=0)}
        stacks = {view: crops[:, : view.size, : view.size] for view in {SHOWN, *views.values()}}
        faces = Crops({view: np.ascontiguousarray(stack) for view, stack in stacks.items()})
        calls |= {name: lambda p=p, x=faces: p.look(x) for name, p in predictors.items()}
        calls |= {name: lambda r=run, x=faces.stacks[view]: r(x) for name, (run, view) in lite.items()}
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
