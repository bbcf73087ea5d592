"""``python -m ml.weights.publish --network meso4 --run RUN --version 2026.11.1``: ship the best weights of a run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ml.weights.answers import record
from ml.weights.store import MANIFEST, publish

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras

NETWORKS = ("meso4", "mesoinception4", "boundary", "synthesis")


def trained(network: str, run: Path) -> keras.Model:
    """The best network of a run, as it was trained (float32)."""
    from ml.networks.detectors import build

    # The file names the layers that training used; their weights are those of the plain network, in the same order.
    model = _as_trained(network)
    model.load_weights(run / "best.weights.h5")
    plain = build(network)
    plain.set_weights(model.get_weights())
    return plain


def _as_trained(network: str) -> keras.Model:
    if network in {"boundary", "synthesis"}:
        from ml.training import tracing

        return tracing.build(network)
    from ml.networks import mesonet
    from ml.training.fused import FusedBatchNormalization
    from ml.training.patches import Placed

    return mesonet.build(network, normalization=FusedBatchNormalization, place=Placed())


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.weights.publish", description=__doc__)
    parser.add_argument("--network", choices=NETWORKS, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder of a training run, with best.weights.h5")
    parser.add_argument("--version", required=True)
    parser.add_argument("--manifest", type=Path, default=MANIFEST)
    options = parser.parse_args(arguments)

    entry = publish(
        options.network, trained(options.network, options.run).get_weights(), options.version, options.manifest
    )
    record(options.network, options.manifest)
    sys.stdout.write(f"{entry.file} {entry.sha256}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
