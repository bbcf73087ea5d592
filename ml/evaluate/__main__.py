"""``python -m ml.evaluate detectors|restore|faces|swap|animation|improve|desk``: see the modules of that name here."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from ml.evaluate import animation, desk, detectors, faces, improve, restore, swap

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml.evaluate", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    detectors.add_arguments(what.add_parser("detectors", help="measure the detectors", description=detectors.__doc__))
    restore.add_arguments(what.add_parser("restore", help="measure the enhancement", description=restore.__doc__))
    animation.add_arguments(
        what.add_parser("animation", help="measure the motion model", description=animation.__doc__)
    )
    faces.add_arguments(what.add_parser("faces", help="measure the face restorer", description=faces.__doc__))
    swap.add_arguments(what.add_parser("swap", help="measure the face swap", description=swap.__doc__))
    improve.add_arguments(
        what.add_parser("improve", help="improve made faces, and ask the detectors", description=improve.__doc__)
    )
    desk.add_arguments(what.add_parser("desk", help="measure on the review desk's labels", description=desk.__doc__))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    run = {
        "detectors": detectors.run,
        "restore": restore.run,
        "faces": faces.run,
        "swap": swap.run,
        "animation": animation.run,
        "improve": improve.run,
        "desk": desk.run,
    }
    return run[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
