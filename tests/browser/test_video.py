"""A video on the table: its page over time, with and without a script, by keyboard, on a telephone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import clips
from tests.browser.conftest import VERDICT_MILLISECONDS
from tests.browser.test_looks import grave_findings
from tests.browser.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.live_site import LiveSite


@pytest.fixture(scope="module")
def watched(chromium: Browser, live_site: LiveSite) -> Iterator[Visit]:
    """Somebody who has just had a video checked: a face, a cut to a wall, the face again."""
    frames = clips.astronaut_frames(24)
    data = clips.encoded([*frames, *clips.faceless_frames(12), *frames[::-1]])
    person = Visit(chromium, live_site.url)
    person.open("/")
    person.pick(("clip.mp4", data))
    person.verdict(VERDICT_MILLISECONDS)
    yield person
    person.close()
    assert not person.complaints


def test_frames_are_chosen_by_click_and_by_keyboard(watched: Visit) -> None:
    page = watched.page
    strip = page.get_by_role("list", name="Frames").get_by_role("link")
    assert 6 <= strip.count() <= 24
    now = page.locator("[data-now]")
    strip.nth(3).click()
    expect(strip.nth(3)).to_have_attribute("aria-current", "true")
    before = float(now.get_attribute("x1") or 0)
    assert before > 0
    seconds = float(strip.nth(3).get_attribute("data-seek") or 0)
    page.wait_for_function(
        "seconds => Math.abs(document.querySelector('[data-play]').currentTime - seconds) < 0.2", arg=seconds
    )
    page.keyboard.press("ArrowRight")
    expect(strip.nth(4)).to_be_focused()
    expect(strip.nth(4)).to_have_attribute("aria-current", "true")
    assert float(now.get_attribute("x1") or 0) > before
    page.keyboard.press("End")
    expect(strip.last).to_be_focused()
    expect(page.locator("[data-strip] [aria-current]")).to_have_count(1)


def test_a_worst_moment_leads_to_its_frame(watched: Visit) -> None:
    page = watched.page
    moment = page.locator(".person__moment").first
    moment.click()
    chosen = page.locator("[data-strip] [aria-current]")
    expect(chosen).to_be_in_viewport()
    apart = abs(float(moment.get_attribute("data-seek") or 0) - float(chosen.get_attribute("data-seek") or 9))
    assert apart < 0.6


def test_one_person_before_and_after_the_cut(watched: Visit) -> None:
    page = watched.page
    expect(page.locator(".person")).to_have_count(1)
    expect(page.locator(".course__cut")).to_have_count(2)
    expect(page.locator(".face")).to_have_count(1)
    expect(page.locator(".box__line")).to_have_count(1)


def test_the_page_works_without_a_script(watched: Visit, visit: Callable[..., Visit]) -> None:
    person = visit(java_script_enabled=False, storage_state=watched.context.storage_state())
    page = person.open(watched.path.partition("#")[0])
    link = page.get_by_role("list", name="Frames").get_by_role("link").nth(2)
    link.click()
    assert re.search(r"#frame-3$", page.url)
    expect(page.locator("#frame-3")).to_be_in_viewport()
    page.locator("summary", has_text="All the numbers").click()
    assert page.locator(".over-time__numbers tbody tr").count() > 6


@pytest.mark.parametrize("look", ["light", "dark"])
def test_on_a_telephone_and_with_assistive_technology(watched: Visit, visit: Callable[..., Visit], look: str) -> None:
    person = visit(
        color_scheme=look, viewport={"width": 360, "height": 740}, storage_state=watched.context.storage_state()
    )
    page = person.open(watched.path.partition("#")[0])
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not grave_findings(page)


def test_a_playlist_named_mp4_is_refused_in_its_row(visit: Callable[..., Visit]) -> None:
    person = visit()
    page = person.open("/")
    person.pick(("clip.mp4", clips.PLAYLISTS["ffconcat"]))
    expect(page.get_by_text("This is a playlist, a text that names other files")).to_be_visible()
