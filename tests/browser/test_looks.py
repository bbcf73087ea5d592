"""The look: dark and light, a telephone's width, and what assistive technology meets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.pages import MEMBERS, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.visit import Visit

NOT_FOUND = "/no/such/page"
GRAVE = {"serious", "critical"}


def background(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return colour


def grave_findings(page: Page) -> list[tuple[str, str, list[Any]]]:
    found = Axe().run(page).response["violations"]
    return [(each["id"], page.url, [n["html"] for n in each["nodes"]]) for each in found if each["impact"] in GRAVE]


def test_switch_survives_a_reload(visit: Callable[..., Visit]) -> None:
    person = visit(color_scheme="light")
    page = person.open("/")
    light = background(page)
    page.get_by_role("button", name="Switch to the dark look").click()
    dark = background(page)
    assert dark != light
    page.reload()
    assert background(page) == dark
    person.open("/checks/")
    assert background(page) == dark
    page.get_by_role("button", name="Switch to the light look").click()
    assert background(page) == light


def test_the_system_decides_without_javascript(visit: Callable[..., Visit]) -> None:
    light, dark = (visit(color_scheme=look, java_script_enabled=False) for look in ("light", "dark"))
    for person in (light, dark):
        person.open("/")
        expect(person.page.locator("[data-theme-switch]")).to_be_hidden()
    assert background(light.page) != background(dark.page)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing_grave(seen: Visit, visit: Callable[..., Visit], look: str) -> None:
    state = seen.context.storage_state()
    person = visit(color_scheme=look, storage_state=state)
    findings = []
    for path in (*PUBLIC, NOT_FOUND, seen.path):
        findings += grave_findings(person.open(path))
    for name in ("Share", "Report", "Delete"):
        person.page.get_by_role("button", name=name).click()
        findings += grave_findings(person.page)
        person.page.keyboard.press("Escape")
    assert not findings


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing_grave_for_members(visit: Callable[..., Visit], look: str) -> None:
    person = visit(color_scheme=look)
    person.sign_up(f"axe-{look}@example.org", "a table of cold light 7")
    findings, wide = [], []
    for path in MEMBERS:
        page = person.open(path)
        findings += grave_findings(page)
        if look == "dark":
            page.set_viewport_size({"width": 360, "height": 740})
            if page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") > 0:
                wide.append(path)
            page.set_viewport_size({"width": 1280, "height": 720})
    assert not findings
    assert not wide


@pytest.mark.parametrize("look", ["light", "dark"])
def test_every_table_of_the_evaluation_can_be_read(visit: Callable[..., Visit], look: str) -> None:
    person = visit(color_scheme=look, viewport={"width": 360, "height": 740}, is_mobile=True)
    page = person.open("/how-it-works/")
    expect(page.get_by_role("heading", name="In short")).to_be_visible()
    page.evaluate("for (const each of document.querySelectorAll('.tables details')) each.open = true")
    assert page.locator(".tables table").count() >= 5
    assert not grave_findings(page)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_nothing_sticks_out_at_360_pixels(seen: Visit, visit: Callable[..., Visit]) -> None:
    person = visit(viewport={"width": 360, "height": 740}, is_mobile=True, storage_state=seen.context.storage_state())
    wide = []
    for path in (*PUBLIC, NOT_FOUND, seen.path):
        page = person.open(path)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            wide.append((path, over))
    assert not wide


def test_touch_targets_are_large_enough(seen: Visit, visit: Callable[..., Visit]) -> None:
    person = visit(viewport={"width": 360, "height": 740}, is_mobile=True, storage_state=seen.context.storage_state())
    for path in ("/", seen.path):
        page = person.open(path)
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, .button, nav a, summary")]
                .map((each) => [each.textContent.trim(), each.getBoundingClientRect()])
                .filter(([, box]) => box.width && (box.height < 36 || box.width < 36))
                .map(([words, box]) => `${words}: ${box.width} x ${box.height}`)"""
        )
        assert not small


def test_by_keyboard_alone(seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    person = visit()
    # Listened for from the start: Playwright takes a moment to get between a page and the system's dialog.
    person.page.on("filechooser", lambda chooser: chooser)
    page = person.open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("input[data-pick]").first).to_be_focused()
    # The ring is drawn around the label that stands for the hidden field.
    assert page.locator("label.button--main").evaluate("label => getComputedStyle(label).outlineStyle") == "solid"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files({"name": "astronaut.jpg", "mimeType": "image/jpeg", "buffer": astronaut_jpeg})
    person.verdict()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Delete":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Delete this check?")).to_be_visible()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()  # the harmless answer comes first
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_focused()
