"""`python -m tests.browser.screenshots`: the pictures of the documentation, taken from a real site and a real check.

It starts a site of its own, has scikit-image's astronaut checked, and writes the pages at two widths, light and dark,
to build/screenshots; with --readme, the one that the README shows goes to docs/screenshots, compressed; with --guide
those of the user guide too.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image
from playwright.sync_api import sync_playwright
from skimage import data

from tests.browser.visit import Visit
from tests.live_site import REPOSITORY, LiveSite

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTHS: Final = (1280, 360)
LOOKS: Final = ("light", "dark")
README: Final = REPOSITORY / "docs" / "screenshots" / "result.webp"
README_HEIGHT: Final = 1000
GUIDE: Final = ("check", "result", "account")  # as docs/user-guide.md shows them
GUIDE_WIDTH: Final = 960


def astronaut() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(data.astronaut()).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def take(site: LiveSite, chromium: str, out: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        first = Visit(browser, site.url)
        first.open("/")
        first.pick(("astronaut.jpg", astronaut()))
        first.verdict(180_000)
        path = first.path
        first.sign_up("grace@example.org", "a table of cold light 7")  # who takes the check along
        state = first.context.storage_state()
        pages = {
            "check": "/",
            "result": path,
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
