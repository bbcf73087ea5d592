"""`python -m benchmarks [networks] [check] ...`: print the tables; `--write` keeps them in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.measuring import Table

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
# Each is a module here with `measure() -> list[Table]`. The site's own processes are measured last, on a quiet machine.
NAMES = tuple(
    name
    for name in ("networks", "check", "restore", "swap", "animate", "video", "desk", "web")
    if importlib.util.find_spec(f"benchmarks.{name}")
)


def main() -> int:
    """Run the benchmarks named, or all; the exit status is 1 when something wanted does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(NAMES)} (all)")
    parser.add_argument("--write", action="store_true", help=f"keep the tables in {DOCUMENT.relative_to(ROOT)}")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    chosen = [name for name in NAMES if name in options.names or not options.names]
    if options.write and len(chosen) < len(NAMES):
        parser.error("--write wants all benchmarks: a document of parts of several runs would compare what never met")
    tables: list[Table] = []
    for name in chosen:
        tables += importlib.import_module(f"benchmarks.{name}").measure()
    text = _document(tables)
    print(text)
    if options.write:
        DOCUMENT.write_text(text, encoding="utf-8")
    return 0 if all(ok for table in tables for _, ok in table.held) else 1


def _document(tables: list[Table]) -> str:
    from ml import runtime

    head = (
        "# Benchmarks\n\n"
        f"Written by `python -m benchmarks` on {datetime.now(UTC).date().isoformat()}; "
        f"Python {platform.python_version()}, {runtime.device_name()}. "
        "Times are medians of interleaved rounds with their quartiles; ratios are medians of the rounds' own ratios, "
        "each against a peer of the same round.\n"
    )
    return "\n".join([head, *(table.markdown() for table in tables)])


if __name__ == "__main__":
    sys.exit(main())
