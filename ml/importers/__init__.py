"""Public checkpoints of other authors, brought into the networks of ``ml.networks``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml import runtime
from ml.importers.checkpoint_error import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CONVERTIBLE", "KINDS", "CheckpointError", "read_checkpoint"]

CONVERTIBLE = ("rrdbnet", "srvgg", "fomm", "dfdnet", "stylegan2")
KINDS = (*CONVERTIBLE, "mesonet")


def read_checkpoint(kind: str, path: str | Path, **options: Any) -> Any:
    """Read the checkpoint ``path`` of the network ``kind``; nothing that the file asks for is executed.

    - ``rrdbnet``: ESRGAN, any of its three layouts -> Keras model (N, H, W, 3) in [0, 1] -> enlarged.
    - ``srvgg``: Real-ESRGAN's compact upscaler -> Keras model, likewise.
    - ``fomm``: the First Order Motion Model -> FirstOrderMotion; option ``size`` (256), the side of its pictures.
    - ``dfdnet``: DFDNet with its dictionary -> Keras model of image and part locations; options ``dictionary`` (a
      file or folder, else it is looked for beside ``path``) and ``size`` (512).
    - ``stylegan2``: StyleGAN2's generator -> Keras model z (N, 512) -> pictures.
    - ``mesonet``: the authors' Meso-4 or MesoInception-4 (``.h5``) -> ``ml.importers.mesonet.Imported``.

    Files are PyTorch's, or the ``.npz`` that ``python -m ml import`` made of one. Raises CheckpointError (names the
    file and the fault), ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"no such kind of checkpoint: {kind!r}; there are {', '.join(KINDS)}")
    runtime.configure()
    path = Path(path)
    if path.suffix == ".npz" and kind in CONVERTIBLE:
        from ml.importers.converted import read_converted

        return read_converted(kind, path)
    return _reader(kind)(path, **options)


def _reader(kind: str) -> Callable[..., Any]:
    """Import the one reader that is wanted: each brings its network, and so Keras with its backend, along."""
    if kind == "rrdbnet":
        from ml.importers.rrdbnet import read_rrdbnet

        return read_rrdbnet
    if kind == "srvgg":
        from ml.importers.srvgg import read_srvgg

        return read_srvgg
    if kind == "fomm":
        from ml.importers.fomm import read_fomm

        return read_fomm
    if kind == "dfdnet":
        from ml.importers.dfdnet import read_dfdnet

        return read_dfdnet
    if kind == "stylegan2":
        from ml.importers.stylegan2 import read_stylegan2

        return read_stylegan2
    return _read_mesonet


def _read_mesonet(path: Path) -> Any:
    from ml.importers import mesonet

    try:
        return mesonet.read(path)
    except (ValueError, OSError) as error:
        raise CheckpointError(path, str(error).removeprefix(f"{path.name} ")) from error
