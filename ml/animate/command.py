"""``python -m ml animate PORTRAIT OUT --built-in nod --consent ID``: handed over to the site, see ``ml.handover``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ml.animate.drivers import catalogue
from ml.handover import add_arguments, hand_over

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_CONSENT = (
    "Nobody is animated without a record of consent. Give the number of the record that was stated on the site for the "
    "person in this very portrait: --consent ID."
)


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns 2 without the number of a record, else the status of ``manage.py animate``."""
    options, rest = _parser().parse_known_args(arguments)
    words = [str(options.portrait), str(options.out), *rest]
    words += ["--driver", str(options.driver)] if options.driver else ["--built-in", options.built_in]
    return hand_over("animate", options, words, NO_CONSENT)


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
    add_arguments(parser, "PORTRAIT")
    return parser
