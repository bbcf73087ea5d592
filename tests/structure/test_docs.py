"""The documentation as a tested artifact: what the program has is in it, and what is in it the program has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from jobs import kinds
from tests.live_site import REPOSITORY
from tests.structure.settings_table import documented, read_by_settings, read_elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

DOCS = REPOSITORY / "docs"
OWN_APPS = ("jobs", "detection", "generation", "enhancement", "deepfake_site")
OF_LIBRARIES = ("admin/", "accounts/", "static/")  # Django's and allauth's own addresses: one row each in the table
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s#]+)(?:#[^)]*)?\)")


def routes(patterns: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        whole = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, whole)
        else:
            yield whole


def own_routes() -> set[str]:
    return {f"/{route}" for route in routes(get_resolver().url_patterns) if not route.startswith(OF_LIBRARIES)}


def sockets() -> set[str]:
    from jobs.routing import websocket_urlpatterns

    return {f"/{route}" for route in routes(websocket_urlpatterns)}


def in_first_column(page: str) -> set[str]:
    """What stands as code in the first cell of the rows of a page's tables."""
    return set(re.findall(r"^\| `([^`]+)` \|", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE))


def pages() -> list[Path]:
    return sorted([*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md")])


def test_every_setting_is_in_the_table_and_nothing_else() -> None:
    assert set(documented()) == set(read_by_settings()) | read_elsewhere()


def test_defaults_in_the_table_are_those_of_the_program() -> None:
    wrong = {
        name: (sorted(defaults), documented()[name][0])
        for name, defaults in read_by_settings().items()
        for default in defaults
        if default and not re.search(rf"(?<![\w.]){re.escape(default)}(?![\w])", documented()[name][0])
    }
    assert wrong == {}


def test_every_route_is_in_the_table_and_nothing_else() -> None:
    libraries = {f"/{prefix}…" for prefix in OF_LIBRARIES}
    assert in_first_column("routes.md") == own_routes() | sockets() | libraries


def test_every_job_kind_is_described() -> None:
    registered = {kind.name: {code for code, _, _ in kind.stages} for kind in kinds.registered()}
    assert "check" in registered
    text = (DOCS / "how-a-check-works.md").read_text(encoding="utf-8")
    running = (DOCS / "running.md").read_text(encoding="utf-8")
    for name, stages in registered.items():
        assert f"| `{name}` |" in running, f"docs/running.md does not name the job kind {name}"
        if name == "check":
            assert [stage for stage in stages if f"`{stage}`" not in text] == []


def test_every_management_command_is_described() -> None:
    own = {command for command, app in get_commands().items() if app in OWN_APPS}
    assert {"serve", "work"} <= own
    text = (DOCS / "running.md").read_text(encoding="utf-8")
    assert [command for command in own if f"manage.py {command}" not in text] == []


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for page in pages():
        named = set(re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")))
        assert named <= targets, f"{page.name} names targets that the Makefile lacks: {named - targets}"


@pytest.mark.parametrize("document", pages(), ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    dead = [
        target
        for target in LINK.findall(document.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (document.parent / target).exists()
    ]
    assert dead == []


def test_decisions_say_context_decision_and_consequences() -> None:
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], record.name
        assert record.name in (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
