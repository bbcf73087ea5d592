"""Somebody with a browser: what they do on the pages, in the words of a person."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Response

File = tuple[str, bytes]

# Chromium's own words for an answer that a page asked for and was refused; the tests that provoke one say so.
REFUSED_ANSWER = "Failed to load resource: the server responded with a status of"


FILES_IN_THE_PAGE = """(files) => {
    const carried = new DataTransfer();
    for (const [name, type, base64] of files)
        carried.items.add(new File([Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0))], name, { type }));
    return carried;
}"""


class Visit:
    """One browser context and one page in it, listening for everything that a page must not do."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.context = browser.new_context(base_url=url, **options)
        self.context.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.answers: list[Response] = []
        self.page = self.new_page()

    def new_page(self) -> Page:
        page = self.context.new_page()
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("response", lambda answer: self.answers.append(answer))
        return page

    def _listen(self, message: ConsoleMessage) -> None:
        # A breach of the Content Security Policy is a console error too.
        if message.type in {"error", "warning"} and not message.text.startswith(REFUSED_ANSWER):
            self.complaints.append(f"{self.page.url}: {message.type}: {message.text}")

    def close(self) -> None:
        self.context.close()

    def open(self, path: str) -> Page:
        answer = self.page.goto(path)
        assert answer is not None
        return self.page

    # --- Checking -------------------------------------------------------------------------------------------------
    def pick(self, *files: File) -> None:
        self.page.locator("input[data-pick]").first.set_input_files([payload(file) for file in files])

    def drop(self, *files: File) -> None:
        """Drag files from the desktop over the table and let go."""
        carried = self.page.evaluate_handle(
            FILES_IN_THE_PAGE,
            [[name, mime(name), base64.b64encode(content).decode()] for name, content in files],
        )
        table = self.page.locator("[data-drop]")
        table.dispatch_event("dragover", {"dataTransfer": carried})
        expect(table).to_have_class(re.compile("is-over"))
        table.dispatch_event("drop", {"dataTransfer": carried})

    def paste(self, file: File) -> None:
        name, content = file
        carried = self.page.evaluate_handle(FILES_IN_THE_PAGE, [[name, mime(name), base64.b64encode(content).decode()]])
        self.page.evaluate("(clipboardData) => dispatchEvent(new ClipboardEvent('paste', { clipboardData }))", carried)

    def verdict(self, milliseconds: float = 60_000) -> Locator:
        """Wait for the verdict of the check whose page this is, and return its heading."""
        heading = self.page.locator("#verdict-title")
        expect(heading).to_be_visible(timeout=milliseconds)
        expect(self.page.locator(".verdict--none")).to_have_count(0)
        return heading

    def check(self, file: File) -> str:
        """Have one picture checked and return the address of its page."""
        self.open("/")
        self.pick(file)
        self.verdict()
        return self.path

    @property
    def path(self) -> str:
        return "/" + self.page.url.split("/", 3)[3]

    # --- Accounts -------------------------------------------------------------------------------------------------
    def sign_up(self, email: str, password: str) -> None:
        self.open("/accounts/signup/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_label("Password (again)").fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Sign Up").click()
        expect(self.page.locator("summary", has_text="Account")).to_be_visible()

    def sign_out(self) -> None:
        self.page.locator("summary", has_text="Account").click()
        self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_role("link", name="Sign in")).to_be_visible()

    def sign_in(self, email: str, password: str) -> None:
        self.open("/accounts/login/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Sign In").click()
        expect(self.page.locator("summary", has_text="Account")).to_be_visible()


def mime(name: str) -> str:
    return {".png": "image/png", ".mp4": "video/mp4"}.get(name[-4:], "image/jpeg")


def payload(file: File) -> Any:
    name, content = file
    return {"name": name, "mimeType": mime(name), "buffer": content}
