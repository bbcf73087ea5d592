"""A member enhances a picture: form, stages, slider, loupe, once more with other settings, away again."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_looks import grave_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from tests.browser.visit import Visit
    from tests.live_site import LiveSite

PASSWORD = "a table of cold light 7"
RESULT_MILLISECONDS = 120_000  # the first one of a run waits until the networks are loaded
RESULT = re.compile(r"/enhance/[0-9a-f-]{36}/")


@pytest.fixture(scope="module")
def small(astronaut_jpeg: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(astronaut_jpeg)).resize((160, 160)).save(out, "JPEG", quality=80)
    return out.getvalue()


@pytest.fixture(scope="module")
def member(chromium: Browser, live_site: LiveSite, small: bytes) -> Iterator[Visit]:
    """Somebody with one finished enhancement by two methods, for tests that only look."""
    from tests.browser.visit import Visit

    visit = Visit(chromium, live_site.url)
    visit.sign_up("vera@example.org", PASSWORD)
    visit.open("/enhance/")
    choose(visit.page, small)
    visit.page.get_by_label("Lanczos interpolation").check()
    visit.page.get_by_role("button", name="Enhance", exact=True).click()
    visit.page.wait_for_url(RESULT)
    expect(visit.page.locator("[data-compare]")).to_be_visible(timeout=RESULT_MILLISECONDS)
    yield visit
    visit.close()


def choose(page: Page, data: bytes, name: str = "small.jpg") -> None:
    page.locator("#id_picture").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": data})


def line(page: Page) -> float:
    """Where the line between before and after stands, as a share of the picture."""
    edges = "(e) => [e.getBoundingClientRect().left, e.getBoundingClientRect().width]"
    (left, width), (at, thick) = (page.locator(css).evaluate(edges) for css in ("[data-stage]", ".compare__line"))
    return float((at + thick / 2 - left) / width)


def places(lenses: Locator) -> set[str]:
    return set(lenses.evaluate_all("all => all.map(lens => lens.firstElementChild.style.translate)"))


def test_from_the_form_to_the_result(visit: Callable[..., Visit], small: bytes, tmp_path: Path) -> None:
    person = visit()
    page = person.open("/enhance/")
    expect(page.get_by_role("main").get_by_role("link", name="Sign in")).to_be_visible()
    person.sign_up("wanda@example.org", PASSWORD)
    person.open("/enhance/")
    # Only what belongs to the chosen task is on the page.
    expect(page.get_by_label("Compact upscaler, trained here")).to_be_visible()
    expect(page.get_by_label("Non-local means")).to_be_hidden()
    page.get_by_label("Take out noise").check()
    expect(page.get_by_label("Non-local means")).to_be_visible()
    page.get_by_label("Enlarge").check()
    page.get_by_role("button", name="Enhance", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Choose a picture first.")
    choose(page, small)
    expect(page.locator("[data-size]")).to_have_text("160 \N{MULTIPLICATION SIGN} 160 px")
    page.get_by_role("radio", name="4\N{MULTIPLICATION SIGN}").check()
    expect(page.locator("[data-status]")).to_have_text("The result will have 640 \N{MULTIPLICATION SIGN} 640 px.")
    page.get_by_label("Bicubic interpolation").check()
    page.get_by_role("button", name="Enhance", exact=True).click()
    page.wait_for_url(RESULT)
    expect(page.locator("[data-compare]")).to_be_visible(timeout=RESULT_MILLISECONDS)
    expect(page.locator(".numbers")).to_contain_text("640 \N{MULTIPLICATION SIGN} 640")
    with page.expect_download() as download:
        page.get_by_role("link", name="All as ZIP").click()
    archive = zipfile.ZipFile(download.value.path())
    assert len([name for name in archive.namelist() if name.endswith(".jpg")]) == 2
    assert "authority.pem" in archive.namelist()

    # Once more, without another upload, with what was chosen before.
    page.get_by_role("link", name="Again, with other settings").click()
    expect(page.get_by_role("radio", name="4\N{MULTIPLICATION SIGN}")).to_be_checked()
    expect(page.get_by_label("Bicubic interpolation")).to_be_checked()
    page.get_by_label("Sharpen").check()
    expect(page.get_by_label("Strength in per cent")).to_be_hidden()
    page.get_by_label("I set it myself").check()
    page.locator("[data-strength]").fill("30")
    expect(page.get_by_label("Strength in per cent")).to_have_value("30")
    page.get_by_role("button", name="Enhance", exact=True).click()
    page.wait_for_url(RESULT)
    expect(page.locator("[data-compare]")).to_be_visible(timeout=RESULT_MILLISECONDS)
    expect(page.get_by_text("strength 30 %")).to_be_visible()

    # The list, and away with both.
    person.open("/enhance/history/")
    expect(page.locator(".card")).to_have_count(2)
    page.get_by_label("Task").select_option("deblur")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_role("link", name="Clear").click()
    page.get_by_label("All on this page").check()
    page.get_by_role("button", name="Delete chosen").click()
    page.get_by_role("button", name="Delete now").click()
    expect(page.get_by_text("2 enhancements were deleted")).to_be_visible()
    expect(page.get_by_text("You have not enhanced anything yet.")).to_be_visible()


def test_the_line_by_mouse_keys_and_finger(member: Visit, visit: Callable[..., Visit]) -> None:
    person = visit(storage_state=member.context.storage_state(), has_touch=True)
    page = person.open(member.path)
    slider = page.locator("[data-compare] input[type=range]")
    expect(slider).to_have_value("50")
    assert line(page) == pytest.approx(0.5, abs=0.01)
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("PageDown")
    value = float(slider.input_value())
    assert value < 45
    assert line(page) == pytest.approx(value / 100, abs=0.01)
    expect(slider).to_have_attribute("aria-valuetext", f"{value:g} % of the first picture is shown")
    page.keyboard.press("Home")
    assert line(page) == pytest.approx(0, abs=0.01)
    stage = page.locator("[data-stage]").bounding_box()
    assert stage is not None
    page.mouse.move(stage["x"] + 0.2 * stage["width"], stage["y"] + 40)
    page.mouse.down()
    page.mouse.move(stage["x"] + 0.8 * stage["width"], stage["y"] + 60, steps=4)
    page.mouse.up()
    assert line(page) == pytest.approx(0.8, abs=0.02)
    expect(slider).to_be_focused()
    page.touchscreen.tap(stage["x"] + 0.3 * stage["width"], stage["y"] + 60)
    assert line(page) == pytest.approx(0.3, abs=0.02)


def test_the_loupe_keeps_all_at_one_place(member: Visit, visit: Callable[..., Visit]) -> None:
    person = visit(storage_state=member.context.storage_state())
    page = person.open(member.path)
    lenses = page.locator("[data-lens]")
    expect(lenses).to_have_count(3)
    assert len(places(lenses)) == 1
    page.get_by_role("button", name="4:1").click()
    expect(page.get_by_role("button", name="4:1")).to_have_attribute("aria-pressed", "true")
    whole = places(lenses)
    lenses.nth(1).focus()
    page.keyboard.press("ArrowRight")
    moved = places(lenses)
    assert len(moved) == 1
    assert moved != whole
    page.keyboard.press("+")
    expect(page.get_by_role("button", name="8:1")).to_have_attribute("aria-pressed", "true")
    box = lenses.nth(2).bounding_box()
    assert box is not None
    before = places(lenses)
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 60, steps=3)
    page.mouse.up()
    assert len(places(lenses)) == 1
    assert places(lenses) != before
    lenses.first.focus()
    page.keyboard.press("0")
    assert places(lenses) != before
    expect(page.get_by_role("button", name="Whole")).to_have_attribute("aria-pressed", "true")


def test_without_javascript(member: Visit, visit: Callable[..., Visit], small: bytes) -> None:
    person = visit(storage_state=member.context.storage_state(), java_script_enabled=False)
    page = person.open(member.path)
    before, after = page.locator(".compare__side--before img"), page.locator(".compare__side--after img")
    left, right = before.bounding_box(), after.bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"], "side by side"
    expect(page.locator("[data-compare] input")).to_be_hidden()
    expect(page.locator("[data-zoom]").first).to_be_hidden()
    page.get_by_role("navigation", name="Which result is compared").get_by_role("link", name="Lanczos").click()
    expect(after).to_have_attribute("alt", re.compile("Lanczos"))
    person.open("/enhance/")
    choose(page, small)
    page.get_by_label("Clean up JPEG").check()
    page.get_by_role("button", name="Enhance", exact=True).click()
    expect(page).to_have_url(RESULT)
    expect(page.locator(".compare__side--after")).to_be_visible(timeout=RESULT_MILLISECONDS)


def test_a_refused_file_loses_nothing(member: Visit, visit: Callable[..., Visit]) -> None:
    person = visit(storage_state=member.context.storage_state())
    page = person.open("/enhance/")
    choose(page, b"GIF89a not a photograph", "funny.gif")
    page.get_by_label("Sharpen").check()
    page.get_by_label("Unsharp mask").check()
    page.get_by_role("button", name="Enhance", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("GIF")
    expect(page.get_by_label("Unsharp mask")).to_be_checked()
    expect(page.get_by_role("button", name="Enhance", exact=True)).to_be_enabled()


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_page_at_two_widths(
    member: Visit, visit: Callable[..., Visit], look: str, width: int, tmp_path: Path
) -> None:
    """Nothing is wider than the page, and assistive technology finds nothing grave."""
    person = visit(
        storage_state=member.context.storage_state(), color_scheme=look, viewport={"width": width, "height": 800}
    )
    findings = []
    for path in ("/enhance/", "/enhance/history/", member.path, f"{member.path}again/"):
        page = person.open(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        findings += grave_findings(page)
    assert not findings
