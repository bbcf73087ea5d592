"""``python -m ml swap TARGET OUT --person SLUG --consent ID``: handed over to the site, see ``ml.handover``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ml.handover import add_arguments, hand_over

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_CONSENT = (
    "Nobody is swapped without a record of consent. Give the number of the record that was stated on the site for the "
    "people in this very file: --consent ID."
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns 2 without the number of a record, else the status of ``manage.py swap``."""
    options, rest = _parser().parse_known_args(arguments)
    words = [str(options.target), str(options.out), "--person", options.person, *rest]
    return hand_over("swap", options, words, NO_CONSENT)


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
    add_arguments(parser, "TARGET")
    return parser
