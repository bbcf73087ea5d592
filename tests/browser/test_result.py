"""What can be done with a verdict: look closer, share, report, delete."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.visit import Visit
    from tests.live_site import LiveSite

# A face with both maps, whatever the shipped weights draw: what is tested is the page.
BOTH_MAPS = """
from django.db.models import F
from detection.models import FaceFinding
FaceFinding.objects.filter(subject="{check}", boundary=None).update(boundary=F("gradcam"))
"""
COUNT_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
MOST_BYTES = 300_000
MOST_SHIFT = 0.02


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


def with_both_maps(seen: Visit, site: LiveSite) -> str:
    check = re.search(r"/checks/([0-9a-f-]{36})/", seen.path)
    assert check is not None
    site.manage("shell", "--command", BOTH_MAPS.format(check=check[1]))
    return check[0]


def test_one_map_at_a_time_under_one_slider(seen: Visit, visit: Callable[..., Visit], live_site: LiveSite) -> None:
    path = with_both_maps(seen, live_site)
    page = visit(storage_state=seen.context.storage_state()).open(path)
    seam, reaction = page.locator("[data-map=boundary]"), page.locator("[data-map=gradcam]")
    expect(seam).to_be_visible()
    expect(reaction).to_be_hidden()
    page.get_by_role("radio", name="What the networks reacted to").check()
    expect(reaction).to_be_visible()
    expect(seam).to_be_hidden()
    slider = page.get_by_role("slider", name="How strongly")
    slider.press("Home")
    expect(reaction).to_have_css("opacity", "0")
    slider.press("End")
    expect(reaction).to_have_css("opacity", "1")
    expect(page.get_by_text("is never a proof")).to_be_visible()


def test_without_a_script_both_maps_stand_beside_the_face(
    seen: Visit, visit: Callable[..., Visit], live_site: LiveSite
) -> None:
    path = with_both_maps(seen, live_site)
    page = visit(java_script_enabled=False, storage_state=seen.context.storage_state()).open(path)
    expect(page.locator("[data-map=boundary]")).to_be_visible()
    expect(page.locator("[data-map=gradcam]")).to_be_visible()
    expect(page.locator(".looks__controls")).to_be_hidden()


def test_reports_are_taken_along(seen: Visit, visit: Callable[..., Visit]) -> None:
    page = visit(storage_state=seen.context.storage_state()).open(seen.path)
    with page.expect_download() as pdf:
        page.get_by_role("link", name="PDF report").click()
    assert re.fullmatch(r"unmask-report-[0-9a-f]{8}\.pdf", pdf.value.suggested_filename)
    assert Path(pdf.value.path()).read_bytes().startswith(b"%PDF-")
    with page.expect_download() as told:
        page.get_by_role("link", name="JSON report").click()
    report = json.loads(Path(told.value.path()).read_text(encoding="utf-8"))
    assert report["verdict"]["words"] == page.locator("#verdict-title").inner_text()


def test_the_page_is_light_and_stands_still(seen: Visit, visit: Callable[..., Visit]) -> None:
    person = visit(storage_state=seen.context.storage_state(), viewport={"width": 360, "height": 740}, is_mobile=True)
    person.context.add_init_script(COUNT_SHIFTS)
    page = person.open(seen.path)
    page.wait_for_load_state("networkidle")
    for _ in range(8):
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(100)
    assert page.evaluate("window.shifted") <= MOST_SHIFT
    words = [answer for answer in person.answers if not answer.headers.get("content-type", "").startswith("image/jpeg")]
    assert sum(len(answer.body()) for answer in words) < MOST_BYTES
