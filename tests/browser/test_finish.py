"""The finish, on every page: light, still, quiet, used by keys alone, with less motion where that is wished."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import expect

from tests.browser.pages import MEMBERS, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.visit import Visit

WEIGHT: Final = 300_000  # bytes of a page and all that it loads, pictures apart
SHIFT: Final = 0.02  # of 1; what a reader notices begins at 0.1
PASSWORD = "a table of cold light 7"

WATCH: Final = """
window.shifted = 0;
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
FOCUSED: Final = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const shown = at.matches("input[type=file]") && at.id ? document.querySelector(`label[for="${at.id}"]`) ?? at : at;
    const box = shown.getBoundingClientRect();
    const ringed = (each) => {
        const style = getComputedStyle(each);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    };
    return {
        name: (at.ariaLabel || at.textContent || at.name || at.tagName).trim().replace(/\\s+/g, " ").slice(0, 60),
        // Of a link that stretches over its card the ring is the card's; boxes over a picture wear a thicker line.
        ring: at instanceof SVGElement || [shown, at, at.closest(".card, li, label")].some((e) => e && ringed(e)),
        seen: box.width > 0 && box.height > 0,
        place: [...document.querySelectorAll("*")].indexOf(at),
        positive: at.tabIndex > 0,
    };
}"""


@pytest.fixture(scope="module")
def member_state(chromium: Any, live_site: Any) -> Any:
    from tests.browser.visit import Visit

    person = Visit(chromium, live_site.url)
    person.sign_up("finish@example.org", PASSWORD)
    state = person.context.storage_state()
    person.close()
    return state


def weight(person: Visit) -> int:
    """Bytes of everything that came, pictures and clips apart."""
    counted = [
        answer
        for answer in person.answers
        if answer.status == 200 and not answer.headers.get("content-type", "").startswith(("image/", "video/"))
    ]
    return sum(len(answer.body()) for answer in counted)


def finish(person: Visit, paths: tuple[str, ...]) -> list[str]:
    wrong = []
    person.context.add_init_script(WATCH)
    for path in paths:
        person.answers.clear()
        page = person.open(path)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        bytes_, shifted = weight(person), page.evaluate("window.shifted")
        if bytes_ > WEIGHT:
            wrong.append(f"{path} weighs {bytes_} bytes")
        if shifted > SHIFT:
            wrong.append(f"{path} shifts by {shifted:.3f}")
        wrong += [f"{path} asks for {a.url} and gets {a.status}" for a in person.answers if a.status >= 400]
    return wrong


def test_the_pages_are_known() -> None:
    assert {"/", "/how-it-works/", "/privacy/", "/terms/", "/accounts/login/"} <= set(PUBLIC)
    assert {"/account/", "/account/delete/", "/account/tokens/", "/accounts/sessions/"} <= set(MEMBERS)


def test_public_pages_are_light_still_and_quiet(seen: Visit, visit: Callable[..., Visit]) -> None:
    person = visit(storage_state=seen.context.storage_state())
    wrong = finish(person, (*PUBLIC, seen.path))
    assert not wrong, "\n".join(wrong)


def test_members_pages_are_too(member_state: Any, visit: Callable[..., Visit]) -> None:
    wrong = finish(visit(storage_state=member_state), MEMBERS)
    assert not wrong, "\n".join(wrong)


def by_keys(page: Page, path: str) -> list[str]:
    """Tab through the whole page: every stop is seen, wears a ring, and comes in the order of the document."""
    wrong, places = [], []
    for step in range(150):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None or (places and stop["place"] == places[0]):
            break
        if step == 0 and stop["name"] != "Skip to the content":
            wrong.append(f"{path}: {stop['name']} comes before the skip link")
        if not stop["ring"]:
            wrong.append(f"{path}: {stop['name']} has no ring")
        if not stop["seen"]:
            wrong.append(f"{path}: {stop['name']} takes the focus and is not seen")
        if places and stop["place"] < places[-1]:
            wrong.append(f"{path}: {stop['name']} jumps back")
        if stop["positive"]:
            wrong.append(f"{path}: {stop['name']} has a tabindex of its own")
        places.append(stop["place"])
    else:
        wrong.append(f"{path}: the focus never leaves")
    return wrong if len(places) > 8 else [*wrong, f"{path}: only {len(places)} stops"]


def test_every_page_by_keys_alone(seen: Visit, member_state: Any, visit: Callable[..., Visit]) -> None:
    person, member = visit(storage_state=seen.context.storage_state()), visit(storage_state=member_state)
    wrong = []
    for path in (*PUBLIC, seen.path):
        wrong += by_keys(person.open(path), path)
    for path in MEMBERS:
        wrong += by_keys(member.open(path), path)
    assert not wrong, "\n".join(wrong)


def test_less_motion_where_it_is_wished(seen: Visit, visit: Callable[..., Visit]) -> None:
    moving = """() => document.getAnimations().map((a) => [a.effect?.getTiming().duration, a.effect?.target?.className])
        .filter(([duration]) => duration > 50)"""
    person = visit(reduced_motion="reduce", storage_state=seen.context.storage_state())
    for path in (*PUBLIC, seen.path):
        page = person.open(path)
        page.mouse.wheel(0, 400)
        page.locator(".wordmark").hover()
        assert page.evaluate(moving) == [], path
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


# --- Leaving, with and without a script -------------------------------------------------------------------------------
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_data_is_taken_along_and_the_account_deleted(
    visit: Callable[..., Visit], script: bool, tmp_path: Any, seen: Visit, astronaut_jpeg: bytes
) -> None:
    email = f"leaving-{script}@example.org".lower()
    person = visit(java_script_enabled=script, accept_downloads=True)
    page = person.page
    person.sign_up(email, PASSWORD)
    if script:
        person.check(("astronaut.jpg", astronaut_jpeg))
    page.locator("summary", has_text="Account").click()
    page.get_by_role("link", name="Your account").first.click()
    expect(page.get_by_role("main").get_by_text(email)).to_be_visible()
    page.get_by_label("Name").fill("Ada")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Name")).to_have_value("Ada")
    page.get_by_role("link", name="Download all of it").click()
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_download() as coming:
        page.get_by_role("main").get_by_role("button").first.click()
    taken = tmp_path / "mine.zip"
    coming.value.save_as(taken)
    with zipfile.ZipFile(taken) as archive:
        assert archive.testzip() is None
        assert any(name.endswith("original.jpg") for name in archive.namelist()) is script
    person.open("/account/delete/")
    page.get_by_label("Your password").fill("not this one")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Your account is deleted")).to_be_visible()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    person.open("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign In").click()
    expect(page.get_by_role("alert")).to_contain_text("not correct")
