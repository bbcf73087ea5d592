"""``python -m ml import KIND FILE``: say what a public checkpoint is, and keep it in a file of this project's own."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.importers import CONVERTIBLE, CheckpointError, read_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTIONS = {"size": ("fomm", "dfdnet"), "dictionary": ("dfdnet",)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Read a checkpoint, report on it, and write it converted; returns 0, or 2 with the fault on standard error."""
    parser = _parser()
    options = parser.parse_args(arguments)
    given = {name: value for name in _OPTIONS if (value := getattr(options, name)) is not None}
    for name in given:
        if options.kind not in _OPTIONS[name]:
            parser.error(f"{options.kind} takes no --{name}")
    out = options.out or options.file.with_name(f"{options.file.stem}.{options.kind}.npz")
    try:
        if out.resolve() == options.file.resolve():
            raise CheckpointError(options.file, "it would be overwritten by what is made of it")
        model = read_checkpoint(options.kind, options.file, **given)
        digest = _sha256(options.file)
        from ml.importers.converted import count_arrays, write_converted

        write_converted(out, options.kind, model, source=options.file.name, sha256=digest)
    except (CheckpointError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    arrays, numbers = count_arrays(model)
    lines = {
        "file": options.file.name,
        "sha256": digest,
        "kind": f"{options.kind} ({type(model).__name__} {getattr(model, 'name', '')})".replace(" )", ")"),
        "shapes": f"all {arrays} arrays right, {numbers:,} numbers",
        "written": str(out),
    }
    sys.stdout.write("".join(f"{name:8} {value}\n" for name, value in lines.items()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ml import",
        description="Read a public PyTorch checkpoint without PyTorch; nothing in it is executed. Says what it is and "
        "writes it as .npz, which is read like the checkpoint itself.",
    )
    parser.add_argument("kind", choices=CONVERTIBLE, help="the network that the file should hold")
    parser.add_argument("file", type=Path, metavar="FILE", help="the .pth, .pt or .pth.tar file")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write (beside the file)")
    parser.add_argument("--size", type=int, metavar="N", help="side of the pictures: fomm (256), dfdnet (512)")
    parser.add_argument("--dictionary", type=Path, metavar="PATH", help="dfdnet: its dictionary's file or folder")
    return parser


def _sha256(path: Path) -> Any:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
