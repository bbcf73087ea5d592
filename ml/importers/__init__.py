"""Public checkpoints of other authors, brought into the networks of ``ml.networks``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml import runtime
from ml.importers.checkpoint_error import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KINDS", "CheckpointError", "read_checkpoint"]

KINDS = ("rrdbnet", "srvgg", "fomm", "dfdnet", "stylegan2")


def read_checkpoint(kind: str, path: str | Path, **options: Any) -> Any:
    """Read the checkpoint ``path`` of the network ``kind``; nothing that the file asks for is executed.

    - ``rrdbnet``: ESRGAN, any of its three layouts -> Keras model (N, H, W, 3) in [0, 1] -> enlarged.
    - ``srvgg``: Real-ESRGAN's compact upscaler -> Keras model, likewise.
    - ``fomm``: the First Order Motion Model -> FirstOrderMotion; option ``size`` (256), the side of its pictures.
    - ``dfdnet``: DFDNet with its dictionary -> Keras model of image and part locations; options ``dictionary`` (a
      file or folder, else it is looked for beside ``path``) and ``size`` (512).
    - ``stylegan2``: StyleGAN2's generator -> Keras model z (N, 512) -> pictures.

    Raises CheckpointError (names the file and the fault), ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"no such kind of checkpoint: {kind!r}; there are {', '.join(KINDS)}")
    return _reader(kind)(Path(path), **options)


def _reader(kind: str) -> Callable[..., Any]:
    """Import the one reader that is wanted: each brings its network, and so Keras with its backend, along."""
    runtime.configure()
    if kind == "rrdbnet":
        from ml.importers.rrdbnet import read_rrdbnet

        return read_rrdbnet
    if kind == "fomm":
        from ml.importers.fomm import read_fomm

        return read_fomm
    if kind == "dfdnet":
        from ml.importers.dfdnet import read_dfdnet

        return read_dfdnet
    if kind == "stylegan2":
        from ml.importers.stylegan2 import read_stylegan2

        return read_stylegan2
    from ml.importers.srvgg import read_srvgg

    return read_srvgg
