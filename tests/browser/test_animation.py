"""A portrait is animated by a new member: terms, consent, previews, a clip that plays and verifies, the gallery."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import c2pa
import pytest
from playwright.sync_api import expect

from tests.browser.visit import payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.visit import Visit

MADE_MILLISECONDS = 240_000  # the first one waits until the networks are loaded
PLAYED = """() => new Promise((resolve, reject) => {
    const clip = document.querySelector(".made video");
    clip.addEventListener("timeupdate", () => {
        if (clip.currentTime > 0.4) resolve([clip.videoWidth, clip.videoHeight]);
    });
    clip.play().catch(reject);
})"""


def file_of(page: Page, address: str) -> bytes:
    answer = page.context.request.get(address)
    assert answer.ok, answer.status
    return answer.body()


def manifest_of(data: bytes, kind: str, authority: bytes) -> Any:
    trust = {"trust": {"trust_anchors": authority.decode()}, "verify": {"verify_trust": True}}
    with c2pa.Reader(kind, io.BytesIO(data), context=c2pa.Context.from_dict(trust)) as reader:
        assert reader.get_validation_state() == "Trusted"
        return reader.json()


@pytest.mark.slow
def test_from_a_portrait_to_the_gallery(visit: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    person = visit()
    person.open("/create/")
    expect(person.page.get_by_role("heading", name="Members only")).to_be_visible()
    person.sign_up("mover@example.org", "a long enough password")
    page = person.open("/create/")
    page.get_by_role("link", name="Animate a portrait").click()
    page.get_by_role("alert").get_by_role("link", name="The terms").click()
    page.get_by_label("I have read these terms and accept them.").check()
    page.get_by_role("button", name="Accept").click()

    expect(page.get_by_role("heading", name="Animate a portrait")).to_be_visible()
    page.get_by_label("Choose a picture").set_input_files(payload(("me.jpg", astronaut_jpeg)))
    expect(page.locator("[data-look]")).to_be_visible()
    expect(page.get_by_label("Your driving clip, if you chose it above")).to_be_hidden()
    page.get_by_role("radio", name="Nod").check(force=True)
    page.get_by_role("button", name="Go on to the consent").click()
    page.get_by_role("button", name="Make it move").click()  # nothing stated yet
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    page.get_by_label("This is me").check()
    page.get_by_label("What stands under my choice is true, and I state it.").check()
    page.get_by_label("Nobody shown is under eighteen, and nothing sexual is made.").check()
    page.get_by_label("Title (optional)").fill("Nodding")
    page.get_by_role("button", name="Make it move").click()

    expect(page.get_by_role("region", name="Progress")).to_be_visible()
    expect(page.get_by_alt_text("What there is of it so far")).to_be_visible(timeout=MADE_MILLISECONDS)
    expect(page.locator(".made video")).to_be_visible(timeout=MADE_MILLISECONDS)
    assert page.evaluate(PLAYED) == [512, 512]
    expect(page.get_by_role("heading", name="What the detectors here say of it")).to_be_visible()
    expect(page.get_by_role("heading", name="A signed statement says: made with AI")).to_be_visible()
    result = person.path

    authority = file_of(page, "/create/authority.pem")
    clip = file_of(page, str(page.locator(".made video").get_attribute("src")))
    told = manifest_of(clip, "video/mp4", authority)
    assert "trainedAlgorithmicMedia" in told
    assert "c2pa.created" in told
    poster = file_of(page, str(page.locator(".made video").get_attribute("poster")))
    manifest_of(poster, "image/jpeg", authority)

    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("button", name="Make a link").click()
    page.get_by_role("button", name="Share", exact=True).click()
    link = page.get_by_label("Link").input_value()
    stranger = visit()
    stranger.page.goto(link)
    expect(stranger.page.locator(".made video")).to_be_visible()
    assert stranger.page.goto(result).url.endswith("/accounts/login/?next=" + result)  # type: ignore[union-attr]

    stranger.check(("found.jpg", poster))
    expect(stranger.page.get_by_role("heading", name="Made on this site")).to_be_visible()

    by_keyboard(person, result)


def by_keyboard(person: Visit, result: str) -> None:
    """The gallery without a mouse: search, choose, delete after a question."""
    page = person.open("/create/gallery/")
    expect(page.get_by_role("link", name="Nodding", exact=True)).to_have_attribute("href", result)
    page.keyboard.press("/")
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.type("nod")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=nod"))
    card = page.get_by_role("link", name="Nodding", exact=True)
    card.focus()
    page.keyboard.press("x")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    page.keyboard.press("Delete")
    expect(page.get_by_role("dialog", name="Delete what is chosen?")).to_be_visible()
    expect(page.get_by_role("button", name="Keep them")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing of yours is like that.")).to_be_visible()
    expect(page.get_by_text("1 piece was deleted")).to_be_visible()
    page.goto(result)
    expect(page.get_by_text("This was withdrawn, and its files are gone.")).to_be_visible()


def test_the_wizard_without_a_script(visit: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    """The same forms, by links and buttons alone; what is refused comes back with what was sent."""
    person = visit()
    person.sign_up("plain@example.org", "a long enough password")
    plain = visit(java_script_enabled=False, storage_state=person.context.storage_state())
    page = plain.open("/create/terms/?next=/create/animate/")
    page.get_by_label("I have read these terms and accept them.").check()
    page.get_by_role("button", name="Accept").click()
    page.get_by_label("Choose a picture").set_input_files(payload(("me.jpg", astronaut_jpeg)))
    page.get_by_role("radio", name="A clip of mine").check(force=True)
    page.get_by_role("button", name="Go on to the consent").click()
    expect(page.get_by_text("Choose your driving clip.")).to_be_visible()
    expect(page.get_by_text("me.jpg, 512")).to_be_visible()
    page.get_by_role("radio", name="Blink").check(force=True)
    page.get_by_role("button", name="Go on to the consent").click()
    expect(page.get_by_text("Blink, built in")).to_be_visible()
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_role("radio", name="Blink")).to_be_checked()
    expect(page.get_by_text("me.jpg, 512")).to_be_visible()
    plain.open("/create/gallery/")
    expect(page.get_by_text("You have not made anything yet.")).to_be_visible()
