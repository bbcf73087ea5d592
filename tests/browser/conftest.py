"""A real Chromium on a real site. A test fails, too, when its pages complain in the console or break the CSP."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.live_site import LiveSite

VERDICT_MILLISECONDS = 240_000  # the first check of a run waits until the networks are loaded


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Not pytest-playwright's own fixture: that one keeps an event loop running until the end of the
    whole run, and no async test survives behind it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on this machine (Debian: apt install chromium)")
    expect.set_options(timeout=20_000)  # for machines that have something else to do as well
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, live_site: LiveSite) -> Iterator[Callable[..., Visit]]:
    """Makes people: `visit()` is somebody with a browser of their own, options as for a Playwright context."""
    made: list[Visit] = []

    def make(**options: object) -> Visit:
        made.append(Visit(chromium, live_site.url, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()
    complaints = [line for each in made for line in each.complaints]
    assert not complaints, complaints


@pytest.fixture(scope="package")
def seen(chromium: Browser, live_site: LiveSite, astronaut_jpeg: bytes) -> Iterator[Visit]:
    """Somebody with a finished, shared check: for tests that only look."""
    visit = Visit(chromium, live_site.url)
    visit.open("/")
    visit.pick(("astronaut.jpg", astronaut_jpeg))
    visit.verdict(VERDICT_MILLISECONDS)
    yield visit
    visit.close()
