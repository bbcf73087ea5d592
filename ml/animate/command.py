"""``python -m ml animate PORTRAIT OUT --built-in nod --consent ID --affirm``: handed over to the site.

Whether a record of consent is there, in force, and for this very file is known to the site's database alone, and
nothing here knows a database. So this command makes nothing by itself: it refuses without a record's number, and gives
everything to ``manage.py animate``, behind whose gate pages and API stand too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from ml.animate.drivers import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

MANAGE = Path(__file__).parents[2] / "manage.py"

NO_CONSENT = (
    "Nobody is animated without a record of consent. Give the number of the record that was stated on the site for the "
    "person in this very portrait: --consent ID."
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns 2 without the number of a record, else the status of ``manage.py animate``."""
    options, rest = _parser().parse_known_args(arguments)
    try:
        consent = str(uuid.UUID(options.consent or ""))
    except ValueError:
        sys.stderr.write(f"{NO_CONSENT}\n")
        return 2
    if not MANAGE.is_file():
        sys.stderr.write(f"The site is not here ({MANAGE}): only it can tell whether the record holds.\n")
        return 1
    words = [str(options.portrait), str(options.out), "--consent", consent, *rest]
    words += ["--driver", str(options.driver)] if options.driver else ["--built-in", options.built_in]
    if options.affirm:
        words.append("--affirm")
    handed = [sys.executable, str(MANAGE), "animate", *words]
    return subprocess.run(handed, check=False).returncode  # noqa: S603 - our own program, no shell


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ml animate",
        description="Move a still portrait by a clip or by a built-in motion. The site does it, with its mark, its "
        "signature and its ledger, under the record of consent that you name; its worker must be running. Further "
        "options are those of manage.py animate.",
    )
    parser.add_argument("portrait", metavar="PORTRAIT", type=Path, help="the picture that is moved")
    parser.add_argument("out", metavar="OUT", type=Path, help="where the sealed MP4 is written")
    by = parser.add_mutually_exclusive_group(required=True)
    by.add_argument(
        "--driver", type=Path, metavar="CLIP", help="a clip of one face, which needs --driver-consent ID too"
    )
    by.add_argument("--built-in", choices=[each.slug for each in catalogue()], help="a motion that comes along")
    parser.add_argument("--consent", metavar="ID", help="number of the record of consent for PORTRAIT")
    parser.add_argument(
        "--affirm", action="store_true", help="nobody shown is under eighteen, and nothing of it is sexual"
    )
    return parser
