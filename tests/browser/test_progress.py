"""A check under way: what its page shows, and that it reaches the end when the connection does not hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from detection.kinds import CHECK
from tests.browser.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.visit import Visit
    from tests.live_site import LiveSite


def test_stages_live_then_verdict_without_losing_focus(
    seen: Visit, visit: Callable[..., Visit], live_site: LiveSite, astronaut_jpeg: bytes
) -> None:
    person = visit()
    page = person.open("/")
    with frozen(live_site):
        person.pick(("astronaut.jpg", astronaut_jpeg))
        expect(page.get_by_role("heading", name="Checking your picture")).to_be_visible()
        expect(page.locator("[data-stages] li")).to_have_count(len(CHECK.stages))
        page.evaluate("window.notReloaded = true")
        page.get_by_role("button", name="Cancel the check").focus()
    heading = person.verdict()
    assert page.evaluate("window.notReloaded"), "the page was loaded again instead of brought up to date"
    expect(heading).to_be_focused()
    expect(page.locator("[data-announce]")).to_have_text(heading.inner_text())
    assert not [answer for answer in person.answers if re.search(r"/jobs/.*\.json$", answer.url)], "it polled"


def test_polling_takes_over_when_the_socket_is_cut(
    seen: Visit, visit: Callable[..., Visit], live_site: LiveSite, astronaut_jpeg: bytes
) -> None:
    person = visit()
    page = person.page
    tried = []
    page.route_web_socket(re.compile("/ws/"), lambda socket: (tried.append(socket.url), socket.close()))
    person.open("/")
    with frozen(live_site):
        person.pick(("astronaut.jpg", astronaut_jpeg))
        expect(page.get_by_role("button", name="Cancel the check")).to_be_visible()
        with page.expect_response(re.compile(r"/jobs/.*\.json$"), timeout=20_000) as first:
            pass
        assert first.value.status == 200
        with page.expect_response(lambda answer: answer.url.endswith(".json") and answer.status == 304):
            pass  # nothing has changed meanwhile, and the server says so in one line
    person.verdict()
    assert len(tried) == 3, "the first connection and two more tries"


def test_without_javascript_the_page_looks_again_by_itself(
    seen: Visit, visit: Callable[..., Visit], live_site: LiveSite, astronaut_jpeg: bytes
) -> None:
    person = visit(java_script_enabled=False)
    page = person.open("/")
    with frozen(live_site):
        page.get_by_label("Pictures or videos", exact=True).set_input_files(
            {"name": "astronaut.jpg", "mimeType": "image/jpeg", "buffer": astronaut_jpeg}
        )
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_text("This page looks again every")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel the check")).to_be_visible()
    person.verdict()


def test_cancel_and_try_again(
    seen: Visit, visit: Callable[..., Visit], live_site: LiveSite, astronaut_jpeg: bytes
) -> None:
    person = visit()
    page = person.open("/")
    with frozen(live_site):
        person.pick(("astronaut.jpg", astronaut_jpeg))
        page.get_by_role("button", name="Cancel the check").click()
    expect(page.get_by_role("heading", name="You cancelled this check")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".plate")).to_be_visible(timeout=60_000)
    person.verdict()


def test_waiting_pictures_can_be_cancelled_from_the_table(
    seen: Visit, visit: Callable[..., Visit], live_site: LiveSite, astronaut_jpeg: bytes
) -> None:
    person = visit()
    page = person.open("/")
    with frozen(live_site):
        person.pick(("one.jpg", astronaut_jpeg), ("two.jpg", astronaut_jpeg))
        second = page.locator("[data-queue] > li").nth(1)
        expect(second).to_contain_text("place 1")  # a visitor's checks run one after another
        second.get_by_role("button", name="Cancel").click()
        expect(second).to_contain_text("Cancelled")
    expect(page.locator("[data-queue] > li[data-ended=succeeded]")).to_have_count(1, timeout=60_000)
