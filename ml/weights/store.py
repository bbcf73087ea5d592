"""The shipped weight files, their manifest, and the only way to load them.

``manifest.json`` maps a network's name to its file, the file's SHA-256, its version, its card (Markdown: data, run,
figures, known failures) and its kind. A file whose bytes are not the manifest's is refused. Files are ``.npz`` without
pickles: kernels in float16, vectors (biases, batch statistics) in float32, in the order of the model's weights.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import keras
    from numpy.typing import NDArray

MANIFEST = Path(__file__).parent / "manifest.json"


class WeightsError(RuntimeError):
    """A weight file is missing, altered, or not the network's."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One network in the manifest; file and card are relative to the manifest's folder.

    kind: "trained here" for every shipped network; an imported one is never in the manifest.
    """

    file: str
    sha256: str
    version: str
    card: str
    kind: str


def entries(manifest: Path = MANIFEST) -> dict[str, Entry]:
    """The manifest's networks by name. Raises WeightsError when there is no readable manifest."""
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        return {name: Entry(**fields) for name, fields in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(f"{manifest} cannot be read: {error}") from error


def weights_version(manifest: Path = MANIFEST) -> str:
    """What names these weights: the newest version and a short hash over all files, like "2026.11.1+3f9a01c2"."""
    found = entries(manifest)
    digest = hashlib.sha256("".join(found[name].sha256 for name in sorted(found)).encode()).hexdigest()[:8]
    return f"{max((entry.version for entry in found.values()), default='none')}+{digest}"


def load(name: str, manifest: Path = MANIFEST) -> keras.Model:
    """Build the detector called ``name`` (see ``ml.networks.detectors``) with its shipped weights.

    Raises WeightsError when the name is unknown, or the file is missing, altered or of another network.
    """
    from ml.networks.detectors import build

    arrays = load_arrays(name, manifest)
    model = build(name)
    wanted = [tuple(weight.shape) for weight in model.weights]
    if [array.shape for array in arrays] != wanted:
        raise WeightsError(f"{entries(manifest)[name].file} does not fit {name}")
    model.set_weights(arrays)
    return model


def load_arrays(name: str, manifest: Path = MANIFEST) -> list[NDArray[np.float32]]:
    """The shipped weights called ``name``, in the order of their network's, as float32.

    Raises WeightsError when the name is unknown, or the file is missing or altered.
    """
    entry = entries(manifest).get(name)
    if entry is None:
        raise WeightsError(f"the manifest has no weights called {name!r}")
    path = manifest.parent / entry.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"the weights of {name} are missing: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != entry.sha256:
        raise WeightsError(f"{entry.file} is not the file that the manifest names: its SHA-256 is {found}")
    # The bytes that were hashed are the bytes that are read: the file is not opened twice.
    return unpack(data)


def pack(arrays: list[NDArray[np.float32]]) -> bytes:
    """A model's weights as the bytes of an ``.npz``; the same weights give the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, array in enumerate(arrays):
            part = io.BytesIO()
            kept = array.astype(np.float16 if array.ndim > 1 else np.float32)
            np.save(part, kept, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{number:03d}.npy", (1980, 1, 1, 0, 0, 0)), part.getvalue())
    return made.getvalue()


def unpack(data: bytes) -> list[NDArray[np.float32]]:
    """The arrays of :func:`pack`, as float32. Raises WeightsError when the bytes are not such a file."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = [np.asarray(archive[key], np.float32) for key in sorted(archive.files)]
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise WeightsError(f"not a weight file: {error}") from error
    if not all(np.isfinite(array).all() for array in arrays):
        raise WeightsError("the weights are not all finite")
    return arrays


def publish(name: str, arrays: list[NDArray[np.float32]], version: str, manifest: Path = MANIFEST) -> Entry:
    """Write a network's weights beside the manifest and enter them; returns the new entry."""
    data = pack(arrays)
    entry = Entry(
        file=f"{name}.npz",
        sha256=hashlib.sha256(data).hexdigest(),
        version=version,
        card=f"cards/{name}.md",
        kind="trained here",
    )
    (manifest.parent / entry.file).write_bytes(data)
    known: Mapping[str, Entry] = entries(manifest) if manifest.is_file() else {}
    content = {key: asdict(value) for key, value in sorted({**known, name: entry}.items())}
    manifest.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return entry
