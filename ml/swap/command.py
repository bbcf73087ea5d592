"""``python -m ml swap TARGET OUT --person SLUG --consent ID --affirm``: handed over to the site, which holds consents.

Whether a record of consent is there, in force, and for this very file is known to the site's database alone, and
nothing here knows a database. So this command makes nothing by itself: it refuses without a record's number, and gives
everything to ``manage.py swap``, behind whose gate pages and API stand too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MANAGE = Path(__file__).parents[2] / "manage.py"

NO_CONSENT = (
    "Nobody is swapped without a record of consent. Give the number of the record that was stated on the site for the "
    "people in this very file: --consent ID."
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns 2 without the number of a record, else the status of ``manage.py swap``."""
    options, rest = _parser().parse_known_args(arguments)
    try:
        consent = str(uuid.UUID(options.consent or ""))
    except ValueError:
        sys.stderr.write(f"{NO_CONSENT}\n")
        return 2
    if not MANAGE.is_file():
        sys.stderr.write(f"The site is not here ({MANAGE}): only it can tell whether the record holds.\n")
        return 1
    words = [str(options.target), str(options.out), "--person", options.person, "--consent", consent, *rest]
    if options.affirm:
        words.append("--affirm")
    handed = [sys.executable, str(MANAGE), "swap", *words]
    return subprocess.run(handed, check=False).returncode  # noqa: S603 - our own program, no shell


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ml swap",
        description="Paint a person into a picture or clip. The site does it, with its mark, its signature and its "
        "ledger, under the record of consent that you name; its worker must be running. Further options are those of "
        "manage.py swap.",
    )
    parser.add_argument("target", metavar="TARGET", type=Path, help="the picture or clip whose face is replaced")
    parser.add_argument("out", metavar="OUT", type=Path, help="where the sealed result is written")
    parser.add_argument("--person", required=True, metavar="SLUG", help="a built-in person, or one that was taught")
    parser.add_argument("--consent", metavar="ID", help="number of the record of consent for TARGET")
    parser.add_argument(
        "--affirm", action="store_true", help="nobody shown is under eighteen, and nothing of it is sexual"
    )
    return parser
