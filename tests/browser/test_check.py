"""From a picture to its verdict, by every way in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

    from tests.browser.visit import Visit

LEVELS = re.compile("Likely manipulated|Inconclusive|Likely authentic")
RUBBISH = b"This is a shopping list and no picture at all. " * 40


def test_drop_to_verdict(seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    person = visit()
    person.open("/")
    person.drop(("astronaut.jpg", astronaut_jpeg))
    expect(person.verdict()).to_have_text(LEVELS)
    page = person.page
    expect(page).to_have_title(re.compile(r": astronaut\.jpg · Unmask$"))
    expect(page.locator(".plate__boxes a")).to_have_count(1)
    expect(page.get_by_role("article")).to_have_count(1)
    # The number beside the verdict, the one on the scale and that of the face are the same.
    percent = page.locator(".verdict__chance .figure").inner_text()
    assert re.fullmatch(r"\d+ %", percent)
    expect(page.locator(".scale__value")).to_have_text(percent)
    expect(page.locator(".face__chance")).to_have_text(percent)
    expect(page.locator(".detectors li")).to_have_count(3)
    expect(page.get_by_text("What was not checked")).to_be_visible()
    # The script has laid the second look over the first, and the slider fades it.
    page.get_by_label("How strongly").fill("20")
    expect(page.locator("[data-map=boundary]")).to_have_css("opacity", "0.2")
    pictures = page.locator("main img:visible").all()
    assert len(pictures) == page.locator("main img").count() - 1, "only the map that is not chosen is hidden"
    for picture in pictures:
        is_loaded(picture)
    page.get_by_role("radio", name="What the networks reacted to").check()
    is_loaded(page.locator("[data-map=gradcam] img"))


def is_loaded(picture: Locator) -> None:
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0


def test_same_verdict_without_javascript(seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    person = visit(java_script_enabled=False)
    page = person.open("/")
    page.get_by_label("Pictures or videos", exact=True).set_input_files(
        {"name": "astronaut.jpg", "mimeType": "image/jpeg", "buffer": astronaut_jpeg}
    )
    page.get_by_role("button", name="Check").click()
    expect(page).to_have_url(re.compile(r"/checks/[0-9a-f-]{36}/$"))
    expect(person.verdict()).to_have_text(LEVELS)  # the page has refreshed itself until there was one
    for what in ("#verdict-title", ".verdict__chance .figure", ".detectors li:last-child .figure"):
        expect(page.locator(what)).to_have_text(seen.page.locator(what).inner_text())
    expect(page.locator(".looks__face")).to_be_visible()
    expect(page.locator("[data-map=boundary]")).to_be_visible()
    # What is a dialog with scripts is a disclosure without.
    expect(page.get_by_role("button", name="Delete now")).to_be_hidden()
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete now").click()
    expect(page.get_by_text("The check and its pictures were deleted.")).to_be_visible()


def test_several_files_and_a_bad_one(
    seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes, astronaut_png: bytes, faceless_jpeg: bytes
) -> None:
    person = visit()
    page = person.open("/")
    person.pick(
        ("one.jpg", astronaut_jpeg), ("list.jpg", RUBBISH), ("two.png", astronaut_png), ("wall.jpg", faceless_jpeg)
    )
    rows = page.locator("[data-queue] > li")
    expect(rows).to_have_count(3)
    # The bad one is refused in a sentence, under its name; the others go on.
    refusal = page.locator("[data-upload-errors] .note")
    expect(refusal).to_have_count(1)
    expect(refusal).to_contain_text("list.jpg")
    expect(refusal).to_contain_text(re.compile(r"\w+ \w+ \w+.*\."))
    expect(page.locator("[data-queue] > li[data-ended=succeeded]")).to_have_count(3, timeout=60_000)
    expect(rows.nth(0).locator(".verdict-tag")).to_have_text(LEVELS)
    expect(rows.nth(1).locator(".verdict-tag")).to_have_text(LEVELS)
    expect(rows.nth(2).locator(".verdict-tag")).to_have_text("Could not be judged")
    rows.nth(2).get_by_role("link", name="Open").click()
    expect(page.get_by_text("No face was found")).to_be_visible()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="History").click()
    expect(page.locator(".card")).to_have_count(3)


def test_rubbish_without_javascript(visit: Callable[..., Visit]) -> None:
    person = visit(java_script_enabled=False)
    page = person.open("/")
    page.get_by_label("Pictures or videos", exact=True).set_input_files(
        {"name": "list.jpg", "mimeType": "image/jpeg", "buffer": RUBBISH}
    )
    page.get_by_role("button", name="Check").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("list.jpg")
    expect(page.get_by_label("Pictures or videos", exact=True)).to_be_visible()


def test_paste(seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    person = visit()
    person.open("/")
    person.paste(("pasted.jpg", astronaut_jpeg))
    expect(person.verdict()).to_have_text(LEVELS)


def test_too_large_is_refused_before_it_is_sent(visit: Callable[..., Visit]) -> None:
    person = visit()
    page = person.open("/")
    limit = int(page.locator("form[data-upload]").get_attribute("data-max-bytes") or 0)
    assert limit > 0
    page.evaluate(
        """(size) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(size)], "huge.jpg", { type: "image/jpeg" }));
            dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
        }""",
        limit + 1,
    )
    expect(page.locator("[data-upload-errors] .note")).to_contain_text("huge.jpg")
    assert not [answer for answer in person.answers if answer.request.method == "POST"]
