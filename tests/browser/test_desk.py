"""The review desk in a browser: from a visitor's report to the verdict that they read, by keyboard and without it."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_looks import grave_findings

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.visit import Visit
    from tests.live_site import LiveSite

PASSWORD = "a table of cold light 7"
STAFF = """
from django.contrib.auth.models import Group, User
for name, role in (("rita", "reviewer"), ("rolf", "reviewer"), ("adam", "administrator")):
    user, made = User.objects.get_or_create(
        username=name, defaults={{"email": f"{{name}}@desk.example", "is_staff": True}}
    )
    user.set_password("{password}")
    user.save()
    user.groups.add(Group.objects.get(name=role))
"""
CLEAR = (
    "DELETE FROM detection_flag WHERE item_id IN"
    " (SELECT subject_id FROM detection_reviewitem WHERE state IN ('waiting', 'escalated'))",
    "DELETE FROM detection_judgement WHERE item_id IN"
    " (SELECT subject_id FROM detection_reviewitem WHERE state IN ('waiting', 'escalated'))",
    "DELETE FROM detection_reviewitem WHERE state IN ('waiting', 'escalated')",
)
RUN_OUT = """
UPDATE detection_reviewitem SET claimed_until = datetime('now', '-1 seconds') WHERE subject_id = ? RETURNING subject_id
"""


@pytest.fixture(scope="module")
def staff(live_site: LiveSite) -> None:
    live_site.manage("shell", "--command", STAFF.format(password=PASSWORD))


@pytest.fixture
def empty_desk(live_site: LiveSite, staff: None) -> None:
    """Other tests' checks are off the desk: what is most urgent is what this test lays on it."""
    for statement in CLEAR:
        live_site.rows(statement)


def report(person: Visit, reason: str = "The verdict is wrong") -> None:
    page = person.page
    page.get_by_role("button", name="Report", exact=True).click()
    dialog = page.get_by_role("dialog", name="Report this picture")
    dialog.get_by_label("Reason").select_option(label=reason)
    dialog.get_by_label("Comment").fill("This is a portrait by a public agency.")
    dialog.get_by_role("button", name="Send the report").click()
    expect(page.get_by_text("A person will look at it")).to_be_visible()


def check_id(path: str) -> str:
    found = re.search(r"[0-9a-f-]{36}", path)
    assert found is not None
    return found[0]


def at_the_desk(person: Visit, name: str) -> Page:
    person.sign_in(f"{name}@desk.example", PASSWORD)
    return person.open("/review/")


def test_from_report_to_verdict(
    empty_desk: None, seen: Visit, visit: Callable[..., Visit], live_site: LiveSite, astronaut_jpeg: bytes
) -> None:
    visitor, rita, rolf = visit(), visit(), visit()
    path = visitor.check(("astronaut.jpg", astronaut_jpeg))
    said_by_machine = visitor.page.locator("#verdict-title").inner_text()
    report(visitor)

    page = at_the_desk(rita, "rita")
    expect(page.get_by_role("link", name="Review", exact=True)).to_be_visible()
    expect(page.locator(".desk-row")).to_have_count(1)
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="What do you say?")).to_be_visible()
    assert check_id(rita.path) == check_id(path)
    expect(page.get_by_text("This is a portrait by a public agency.")).to_be_visible()
    expect(page.locator(".plate__picture img")).to_be_visible()
    expect(page.locator("#face-1")).to_be_visible()
    expect(page.get_by_role("heading", name="Where it comes from")).to_be_visible()

    # Somebody else sees who has it, and gets nothing.
    other = at_the_desk(rolf, "rolf")
    expect(other.get_by_text("rita has it")).to_be_visible()
    other.keyboard.press("n")
    expect(other.get_by_text("Nothing waits for you.")).to_be_visible()
    rolf.open(rita.path)
    expect(other.get_by_text("rita is looking at it.")).to_be_visible()
    expect(other.get_by_role("button", name="Authentic")).to_have_count(0)

    # Letters in the note are words, not verdicts.
    page.get_by_label("Note").fill("")
    page.get_by_label("Note").press_sequentially("amus: the agency's own")
    expect(page.get_by_label("Note")).to_have_value("amus: the agency's own")
    page.locator("#judge-title").click()
    page.keyboard.press("m")
    expect(page.get_by_text("astronaut.jpg: Manipulated")).to_be_visible()
    visitor.page.reload()
    expect(visitor.page.locator("#verdict-title")).to_have_text("Judged manipulated")

    page.keyboard.press("z")
    expect(page.get_by_text("Your verdict was taken back.")).to_be_visible()
    visitor.page.reload()
    expect(visitor.page.locator("#verdict-title")).to_have_text(said_by_machine)

    page.keyboard.press("a")
    expect(page.get_by_text("astronaut.jpg: Authentic")).to_be_visible()
    visitor.open("/checks/")
    expect(visitor.page.get_by_text("A person has looked at what you reported:")).to_be_visible()
    visitor.open(path)
    expect(visitor.page.locator("#verdict-title")).to_have_text("Judged authentic")
    expect(visitor.page.get_by_text("A reviewer of this site judged it authentic on")).to_be_visible()
    expect(visitor.page.get_by_text("What the detectors said")).to_be_visible()
    expect(visitor.page.locator("[data-machine]")).to_contain_text(said_by_machine)
    expect(visitor.page.get_by_text("A person has looked at what you reported.")).to_be_visible()

    # And whoever has the link reads the same.
    visitor.page.get_by_role("button", name="Share").click()
    visitor.page.get_by_role("button", name="Make a link").click()
    visitor.page.get_by_role("button", name="Share").click()
    guest = visit()
    guest.open(visitor.page.get_by_label("Link").input_value())
    expect(guest.page.locator("#verdict-title")).to_have_text("Judged authentic")
    expect(guest.page.get_by_text("A reviewer of this site judged it authentic on")).to_be_visible()


def test_two_reviewers_at_once(
    empty_desk: None, seen: Visit, visit: Callable[..., Visit], live_site: LiveSite, astronaut_jpeg: bytes
) -> None:
    visitor, rita, rolf = visit(), visit(), visit()
    paths = []
    for number in range(2):
        paths.append(visitor.check((f"portrait-{number}.jpg", astronaut_jpeg)))
        report(visitor)
    first, second = at_the_desk(rita, "rita"), at_the_desk(rolf, "rolf")
    first.keyboard.press("n")
    expect(first.get_by_role("heading", name="What do you say?")).to_be_visible()
    second.keyboard.press("n")
    expect(second.get_by_role("heading", name="What do you say?")).to_be_visible()
    assert {check_id(rita.path), check_id(rolf.path)} == {check_id(path) for path in paths}

    # Skipping goes on to what is free, and what the other holds is not.
    first.keyboard.press("s")
    expect(first.get_by_text("What you skipped comes again")).to_be_visible()
    # Whose time has run out is told so when somebody else has come, and writes nothing.
    mine = check_id(rolf.path)
    assert live_site.rows(RUN_OUT, uuid.UUID(mine).hex)
    rita.open(f"/review/{mine}/")
    first.keyboard.press("c")
    expect(first.get_by_role("heading", name="What do you say?")).to_be_visible()
    second.keyboard.press("m")
    expect(second.get_by_text("Nothing was written.")).to_be_visible()
    expect(second.get_by_text("rita is looking at it.")).to_be_visible()


def test_without_a_script(
    empty_desk: None, seen: Visit, visit: Callable[..., Visit], live_site: LiveSite, astronaut_jpeg: bytes
) -> None:
    visitor = visit()
    path = visitor.check(("astronaut.jpg", astronaut_jpeg))
    report(visitor, "The picture harms somebody")
    rita = visit()
    rita.sign_in("rita@desk.example", PASSWORD)
    plain = visit(java_script_enabled=False, storage_state=rita.context.storage_state())
    page = plain.open("/review/?reason=reported")
    page.get_by_role("button", name="Take the next one").click()
    page.get_by_role("button", name="Unsure").click()  # the browser asks for the reports first
    expect(page.get_by_role("heading", name="What do you say?")).to_be_visible()
    page.get_by_label("It is not so").check()
    page.get_by_label("Note").fill("Cannot be told from this copy.")
    page.get_by_role("button", name="Unsure").click()
    expect(page.get_by_text("astronaut.jpg: Unsure")).to_be_visible()
    visitor.open(path)
    expect(visitor.page.locator("#verdict-title")).to_have_text("People could not tell")
    expect(visitor.page.get_by_text("They do not agree with your report.")).to_be_visible()
    page.get_by_role("button", name="Undo astronaut.jpg").first.click()
    expect(page.get_by_text("Your verdict was taken back.")).to_be_visible()
    page.get_by_role("button", name="Put it back").click()
    expect(page.locator(".desk-row")).to_have_count(1)


def test_the_picture_is_enlarged(
    empty_desk: None, seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes
) -> None:
    visitor, rita = visit(), visit()
    visitor.check(("astronaut.jpg", astronaut_jpeg))
    report(visitor)
    page = at_the_desk(rita, "rita")
    page.locator(".desk-row__title a").click()
    picture = page.locator(".plate__picture img")
    expect(picture).to_be_visible()
    before = picture.bounding_box()
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(page.locator("[data-zoom-now]")).to_have_text("200 %")
    after = picture.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] == pytest.approx(2 * before["width"], rel=0.02)
    sheet = page.locator(".plate__sheet").bounding_box()
    assert sheet is not None
    assert sheet["width"] < after["width"], "it scrolls inside its frame"
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.keyboard.press("-")
    page.keyboard.press("-")
    back = picture.bounding_box()
    assert back is not None
    assert back["width"] == pytest.approx(before["width"], rel=0.02)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing_grave_and_nothing_sticks_out(
    look: str, empty_desk: None, seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes
) -> None:
    visitor = visit()
    visitor.check(("astronaut.jpg", astronaut_jpeg))
    report(visitor)
    adam = visit(color_scheme=look, viewport={"width": 360, "height": 740}, is_mobile=True)
    page = at_the_desk(adam, "adam")
    findings = grave_findings(page)
    over = []
    for step in ("next", "figures"):
        if step == "next":
            page.get_by_role("button", name="Take the next one").click()
            expect(page.get_by_role("heading", name="What do you say?")).to_be_visible()
        else:
            adam.open("/review/figures/")
        findings += grave_findings(page)
        over.append(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
    assert not findings
    assert over == [0, 0]
