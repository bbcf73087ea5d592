"""Face swaps as a new member meets them: with a built-in person, and with one who is learned while they watch."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import c2pa
import numpy as np
import pytest
from playwright.sync_api import expect

from tests import clips
from tests.browser.visit import Visit
from tests.generation.people import NAME, make_catalog
from tests.live_site import LiveSite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

PASSWORD = "a table of cold light 7"
MADE_MILLISECONDS = 240_000  # the first work of its kind waits until the libraries are loaded

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def swap_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A site with one built-in person made by chance, on which nobody is learned for more than a few steps."""
    folder = tmp_path_factory.mktemp("swaps")
    site = LiveSite(
        folder / "data",
        {
            "UNMASK_PEOPLE": str(make_catalog(folder / "people")),
            "UNMASK_LEARN_STEPS": "6",
            "JOBS_CHILD_START_SECONDS": "600",
        },
    )
    try:
        yield site.start()
    finally:
        site.stop()


@pytest.fixture
def someone(chromium: Browser, swap_site: LiveSite) -> Iterator[Callable[..., Visit]]:
    made: list[Visit] = []

    def make(**options: object) -> Visit:
        made.append(Visit(chromium, swap_site.url, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()
    complaints = [line for each in made for line in each.complaints]
    assert not complaints, complaints


def new_member(visit: Visit, email: str) -> Page:
    """Signs up, is sent from the wizard to the terms and comes back."""
    visit.sign_up(email, PASSWORD)
    page = visit.open("/create/swap/")
    page.get_by_role("link", name="The terms").first.click()
    page.get_by_label("I have read these terms").check()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", name="Swap a face")).to_be_visible()
    return page


def state_that(page: Page, role: str) -> None:
    page.locator(f"#{role}-myself").check()
    page.locator(f"[name={role}-agreed]").check()


def trusted(site: LiveSite, data: bytes, content_type: str) -> str:
    """The words of a manifest that c2pa trusts, with this site's certificate for its anchor."""
    with site.visitor() as visitor:
        anchor = visitor.http.get(f"{site.url}/create/authority.pem", timeout=30).text
    trust = c2pa.Context.from_dict({"trust": {"trust_anchors": anchor}, "verify": {"verify_trust": True}})
    with c2pa.Reader(content_type, io.BytesIO(data), context=trust) as reader:
        assert reader.get_validation_state() == "Trusted"
        return str(reader.json())


def downloaded(page: Page) -> bytes:
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download", exact=True).click()
    path = coming.value.path()
    return path.read_bytes()


def check_says_made_here(visit: Visit, name: str, data: bytes) -> None:
    visit.open("/")
    visit.pick((name, data))
    visit.verdict(MADE_MILLISECONDS)
    expect(visit.page.get_by_text("Made on this site").first).to_be_visible()


def test_a_new_member_swaps_with_a_built_in_person_and_downloads_it(
    someone: Callable[..., Visit], swap_site: LiveSite, astronaut_jpeg: bytes
) -> None:
    visit = someone()
    page = new_member(visit, "mary@example.org")
    expect(page.get_by_text(NAME)).to_be_visible()
    page.locator("#id_target").set_input_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": astronaut_jpeg}
    )
    page.get_by_role("button", name="Go on to the consent").click()
    page.get_by_role("button", name="Swap", exact=True).click()  # without a word of consent
    expect(page.get_by_text("This field is required").first).to_be_visible()
    state_that(page, "target")
    page.get_by_label("Nobody shown is under eighteen").check()
    page.get_by_label("Title").fill("Astronaut")
    page.get_by_role("button", name="Swap", exact=True).click()
    slider = page.locator(".compare input[type=range]")
    expect(slider).to_be_visible(timeout=MADE_MILLISECONDS)
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator("[data-stage]").evaluate("stage => stage.style.getPropertyValue('--at')") == "0%"
    expect(page.get_by_role("heading", name="What the detectors here say of it")).to_be_visible()
    expect(page.get_by_role("heading", name="Where it comes from")).to_be_visible()
    data = downloaded(page)
    assert "c2pa.edited" in trusted(swap_site, data, "image/jpeg")
    here = page.url
    page.get_by_role("link", name="Again, with other settings").click()
    expect(page.get_by_text("is here")).to_be_visible()
    check_says_made_here(visit, "found.jpg", data)
    page.goto(here)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete now").click()
    expect(page.get_by_text("It was deleted")).to_be_visible()


def test_somebody_is_learned_while_one_watches_and_the_clip_plays(
    someone: Callable[..., Visit], swap_site: LiveSite
) -> None:
    visit = someone()
    page = new_member(visit, "katherine@example.org")
    source = clips.encoded(clips.astronaut_frames(30, height=300, width=320, side=300, drift=16))
    mirrored = [np.ascontiguousarray(frame[:, ::-1]) for frame in clips.astronaut_frames(26, side=220)]
    page.get_by_label("Myself, or somebody else").check()
    page.locator("#id_source").set_input_files({"name": "me.mp4", "mimeType": "video/mp4", "buffer": source})
    page.locator("#id_target").set_input_files(
        {"name": "target.mp4", "mimeType": "video/mp4", "buffer": clips.encoded(mirrored)}
    )
    page.get_by_role("button", name="Go on to the consent").click()
    for role in ("target", "source"):
        state_that(page, role)
    page.get_by_label("What shall the person be called?").fill("Eileen")
    page.get_by_label("Nobody shown is under eighteen").check()
    page.get_by_role("button", name="Learn and swap").click()
    expect(page.get_by_role("heading", name="What it has learned so far")).to_be_visible()
    expect(page.locator("[data-curve] svg")).to_be_visible(timeout=MADE_MILLISECONDS)
    expect(page.locator("[data-look] img")).to_be_visible(timeout=MADE_MILLISECONDS)
    clip = page.locator("video").first
    expect(clip).to_be_visible(timeout=MADE_MILLISECONDS)
    expect(page.get_by_role("heading", name="How Eileen was learned")).to_be_visible()
    played = clip.evaluate(
        """async (clip) => {
            clip.muted = true;
            await clip.play();
            await new Promise((resolve) => clip.addEventListener("timeupdate", resolve, { once: true }));
            return [clip.videoWidth, clip.error, clip.currentTime];
        }"""
    )
    assert played[:2] == [320, None]
    data = downloaded(page)
    assert data[4:8] == b"ftyp"
    assert "c2pa.edited" in trusted(swap_site, data, "video/mp4")
    visit.open("/create/swap/")
    expect(page.get_by_text("Eileen")).to_be_visible()  # nobody is learned twice
    check_says_made_here(visit, "found.mp4", data)


def test_without_a_script_the_same_way_leads_to_the_same_end(
    someone: Callable[..., Visit], astronaut_jpeg: bytes
) -> None:
    visit = someone(java_script_enabled=False)
    page = new_member(visit, "dorothy@example.org")
    page.locator("#id_target").set_input_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": astronaut_jpeg}
    )
    page.get_by_role("button", name="Go on to the consent").click()
    state_that(page, "target")
    page.get_by_label("Nobody shown is under eighteen").check()
    page.get_by_role("button", name="Swap", exact=True).click()
    expect(page.locator(".compare img")).to_have_count(2, timeout=MADE_MILLISECONDS)
    expect(page).to_have_url(re.compile(r"/create/[0-9a-f-]{36}/$"))


def test_a_stranger_sees_nothing_of_it(someone: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    page = someone().open("/create/swap/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
