"""How the suite is dealt out to several processes (pytest-xdist): in pieces, those that last long first.

A piece is a file, since its tests share what they set up, or one of these, whose files share more than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

# All that look at the one running site: it is started once, and Playwright's event loop is in the way of nobody else.
SITE = ("tests/browser/", "tests/detection/test_end_to_end.py", "tests/structure/test_api_page.py")
# Sites of several processes each, and tests that wipe a server: never two at once.
SERVERS = ("tests/services/", "tests/resilience/")
FIRST = ("site", "servers")


def piece(nodeid: str) -> str:
    """The piece that a test belongs to."""
    if nodeid.startswith(SITE):
        return "site"
    return "servers" if nodeid.startswith(SERVERS) else nodeid.partition("::")[0]


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests, piece by piece: first the two large ones, then files with slow tests, then the rest as it was.

    Whoever ends last has only short pieces left, so that nobody waits long for the other. Files with tests that empty
    the database come after all others, as pytest-django has it too: what migrations wrote is gone from then on.
    """
    pieces: dict[str, list[pytest.Item]] = {name: [] for name in FIRST}
    for item in items:
        pieces.setdefault(piece(item.nodeid), []).append(item)
    slow = {name for name, held in pieces.items() if any(item.get_closest_marker("slow") for item in held)}
    last = {name for name, held in pieces.items() if any(map(_empties_the_database, held))}
    order = sorted(pieces, key=lambda name: (name in last, name not in FIRST, name not in slow))
    return [item for name in order for item in pieces[name]]


def _empties_the_database(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    asked = marker is not None and (marker.kwargs.get("transaction") or (marker.args and marker.args[0]))
    return bool(asked) or "transactional_db" in getattr(item, "fixturenames", ())


class PieceScheduling(LoadScopeScheduling):
    """Hands out pieces in the order in which they were collected (xdist itself would sort them by their number)."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)  # type: ignore[arg-type]

    def _split_scope(self, nodeid: str) -> str:
        return piece(nodeid)
