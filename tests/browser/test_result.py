"""What can be done with a verdict: look closer, share, report, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.visit import Visit


def test_share_open_elsewhere_and_take_back(seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    owner, guest = visit(), visit()
    path = owner.check(("astronaut.jpg", astronaut_jpeg))
    page = owner.page
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    page.get_by_role("button", name="Share").click()
    link = page.get_by_label("Link").input_value()
    assert "/s/" in link

    guest.open(path)
    expect(guest.page.get_by_text("There is nothing here")).to_be_visible()
    guest.open(link)
    expect(guest.page.locator("#verdict-title")).to_have_text(page.locator("#verdict-title").inner_text())
    assert guest.page.locator(".plate__picture img").evaluate("image => image.complete && image.naturalWidth") > 0
    expect(guest.page.get_by_role("button", name="Delete")).to_have_count(0)

    page.get_by_role("button", name="Take the link back").click()
    expect(page.get_by_text("The link no longer works.")).to_be_visible()
    guest.page.reload()
    expect(guest.page.get_by_text("There is nothing here")).to_be_visible()


def test_delete_asks_first(seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    person = visit()
    path = person.check(("astronaut.jpg", astronaut_jpeg))
    page = person.page
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete this check?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Delete")).to_be_focused()
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete now").click()
    expect(page.get_by_text("The check and its pictures were deleted.")).to_be_visible()
    person.open(path)
    expect(page.get_by_text("There is nothing here")).to_be_visible()


def test_report(seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    person = visit()
    person.check(("astronaut.jpg", astronaut_jpeg))
    page = person.page
    page.get_by_role("button", name="Report").click()
    dialog = page.get_by_role("dialog", name="Report this picture")
    dialog.get_by_label("Reason").select_option(label="The verdict is wrong")
    dialog.get_by_label("Comment").fill("This is a portrait by a public agency.")
    dialog.get_by_role("button", name="Send the report").click()
    expect(page.get_by_text("A person will look at it")).to_be_visible()
    expect(page.get_by_role("button", name="Reported")).to_be_visible()


def test_faces_are_reached_from_the_picture_by_keyboard(seen: Visit) -> None:
    page = seen.page
    box = page.get_by_role("link", name="Face 1:")
    box.focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#face-1")
    expect(page.locator("#face-1")).to_be_in_viewport()
