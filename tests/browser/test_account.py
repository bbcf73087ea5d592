"""Accounts: a history that is theirs, tokens that are shown once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.visit import Visit

PASSWORD = "a table of cold light 7"


def test_sign_up_out_and_in(seen: Visit, visit: Callable[..., Visit], astronaut_jpeg: bytes) -> None:
    person = visit()
    page = person.page
    person.sign_up("grace@example.org", PASSWORD)
    person.check(("astronaut.jpg", astronaut_jpeg))
    person.sign_out()
    person.open("/checks/")
    expect(page.get_by_text("Nothing lies here yet.")).to_be_visible()
    person.sign_in("grace@example.org", PASSWORD)
    person.open("/checks/")
    expect(page.locator(".card")).to_have_count(1)


def test_a_wrong_password_is_said_beside_the_form(visit: Callable[..., Visit]) -> None:
    person = visit()
    page = person.open("/accounts/login/")
    page.get_by_label("Email").fill("nobody@example.org")
    page.get_by_label("Password").fill("not this one either")
    page.get_by_role("main").get_by_role("button", name="Sign In").click()
    expect(page.get_by_role("alert")).to_contain_text("not correct")


def test_token_is_shown_once(visit: Callable[..., Visit]) -> None:
    person = visit()
    page = person.page
    person.sign_up("edith@example.org", PASSWORD)
    person.open("/account/tokens/")
    page.get_by_label("Name").fill("darkroom")
    page.get_by_role("button", name="Make it").click()
    assert re.fullmatch(r"unmask_\S{30,}", page.get_by_label("Token", exact=True).input_value())
    person.open("/account/tokens/")
    expect(page.get_by_label("Token", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Revoke darkroom").click()
    expect(page.get_by_role("cell", name="Revoked")).to_be_visible()
