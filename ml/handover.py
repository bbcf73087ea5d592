"""What generating commands do: refuse without the number of a record of consent, and give the rest to the site.

Whether a record of consent is there, in force, and for this very file is known to the site's database alone, and
nothing here knows a database. So ``python -m ml swap`` and ``animate`` make nothing by themselves: they give everything
to the command of ``manage.py`` of the same name, behind whose gate pages and API stand too.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

MANAGE = Path(__file__).parents[1] / "manage.py"


def add_arguments(parser: argparse.ArgumentParser, consented: str) -> None:
    """What every such command asks for; ``consented`` names the file that the record must be for."""
    parser.add_argument("--consent", metavar="ID", help=f"number of the record of consent for {consented}")
    parser.add_argument(
        "--affirm", action="store_true", help="nobody shown is under eighteen, and nothing of it is sexual"
    )


def hand_over(command: str, options: argparse.Namespace, words: Sequence[str], refusal: str) -> int:
    """Run ``manage.py command words`` under the record that ``options`` name, and return its status.

    2, with ``refusal`` on standard error, where they name none; 1 where there is no site.
    """
    try:
        consent = str(uuid.UUID(options.consent or ""))
    except ValueError:
        sys.stderr.write(f"{refusal}\n")
        return 2
    if not MANAGE.is_file():
        sys.stderr.write(f"The site is not here ({MANAGE}): only it can tell whether the record holds.\n")
        return 1
    handed = [sys.executable, str(MANAGE), command, *words, "--consent", consent]
    if options.affirm:
        handed.append("--affirm")
    return subprocess.run(handed, check=False).returncode  # noqa: S603 - our own program, no shell
