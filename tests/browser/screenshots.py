"""`python -m tests.browser.screenshots`: the pictures of the documentation, taken from a real site and real work.

It starts a site of its own, has the face of one built-in person swapped for another's, has the result checked, and
writes the pages at two widths, light and dark, to build/screenshots; with --readme, the one that the README shows goes
to docs/screenshots, compressed; with --guide those of the user guide too. Nobody real is in them: networks of this
project painted every face.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from ml.swap.people import catalog, painting
from tests.browser.visit import Visit, payload
from tests.live_site import REPOSITORY, LiveSite

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTHS: Final = (1280, 360)
LOOKS: Final = ("light", "dark")
README: Final = REPOSITORY / "docs" / "screenshots" / "result.webp"
README_HEIGHT: Final = 1000
TARGET: Final = "haru"  # both of ml/weights/people
PAINTED: Final = "ines"
MADE_MILLISECONDS: Final = 240_000  # the first work of its kind waits until the libraries are loaded
GUIDE: Final = ("check", "result", "swap", "account")  # as docs/user-guide.md shows them
GUIDE_WIDTH: Final = 960


def portrait() -> bytes:
    """A built-in person, with room around the face: the pictures of the catalogue end at it."""
    pixels = painting(next(person for person in catalog() if person.slug == TARGET))
    room = round(0.35 * len(pixels))
    buffer = io.BytesIO()
    wide = Image.fromarray(np.pad(pixels, ((room, room), (room, room), (0, 0)), mode="edge"))
    wide.resize((768, 768), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def swapped(person: Visit) -> tuple[str, bytes]:
    """Accept the terms, have a face swapped, and return the address of its page and the sealed picture."""
    page = person.open("/create/terms/")
    page.get_by_label("I have read these terms").check()
    page.get_by_role("button", name="Accept").click()
    page = person.open("/create/swap/")
    page.locator(f"[name=person][value={PAINTED}]").check(force=True)
    page.locator("#id_target").set_input_files(payload(("portrait.jpg", portrait())))
    page.get_by_role("button", name="Go on to the consent").click()
    page.locator("#target-synthetic").check()
    page.locator("[name=target-agreed]").check()
    page.get_by_label("Nobody shown is under eighteen").check()
    page.get_by_label("Title").fill("Two people who do not exist")
    page.get_by_role("button", name="Swap", exact=True).click()
    expect(page.locator(".compare input[type=range]")).to_be_visible(timeout=MADE_MILLISECONDS)
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download", exact=True).click()
    return person.path, coming.value.path().read_bytes()


def take(site: LiveSite, chromium: str, out: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        first = Visit(browser, site.url)
        first.sign_up("grace@example.org", "a table of cold light 7")
        made, picture = swapped(first)
        first.open("/")
        first.pick(("found-online.jpg", picture))
        first.verdict(MADE_MILLISECONDS)
        path = first.path
        state = first.context.storage_state()
        pages = {
            "check": "/",
            "result": path,
            "create": "/create/",
            "swap": made,
            "method": "/how-it-works/",
            "account": "/account/",
            "privacy": "/privacy/",
        }
        for width in WIDTHS:
            for look in LOOKS:
                person = Visit(
                    browser,
                    site.url,
                    storage_state=state,
                    color_scheme=look,
                    viewport={"width": width, "height": 800},
                    is_mobile=width < 500,
                    device_scale_factor=1,
                )
                for name, address in pages.items():
                    page = person.open(address)
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=out / f"{name}-{width}-{look}.png", full_page=True)
                person.close()
        browser.close()


def for_docs(source: Path, target: Path, width: int | None = None) -> str:
    """The top of a page, compressed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        top = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, README_HEIGHT)))
    if width is not None:
        top = top.resize((width, round(top.height * width / top.width)), Image.Resampling.LANCZOS)
    top.save(target, "WEBP", quality=90, method=6)
    return f"{target.relative_to(REPOSITORY)}: {target.stat().st_size // 1024} kB\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "screenshots")
    parser.add_argument("--readme", action="store_true", help="also write the README's picture")
    parser.add_argument("--guide", action="store_true", help="also write those of the user guide")
    options = parser.parse_args(arguments)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.stderr.write("no chromium on this machine\n")
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        site = LiveSite(Path(folder) / "data")
        try:
            take(site.start(), chromium, options.out)
        finally:
            site.stop()
    if options.readme:
        sys.stdout.write(for_docs(options.out / "result-1280-light.png", README))
    if options.guide:
        for name in GUIDE:
            target = README.parent / f"guide-{name}.webp"
            sys.stdout.write(for_docs(options.out / f"{name}-1280-light.png", target, GUIDE_WIDTH))
    return 0


if __name__ == "__main__":
    sys.exit(main())
