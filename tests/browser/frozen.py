"""Time stands still for the inference process, so that a test can look at a check under way as long as it likes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live_site import LiveSite


def inference_children(site: LiveSite) -> list[psutil.Process]:
    children = psutil.Process(site.pid).children(recursive=True)
    return [child for child in children if any("jobs.inference_child" in part for part in child.cmdline())]


@contextlib.contextmanager
def frozen(site: LiveSite) -> Iterator[None]:
    children = inference_children(site)
    assert children, "the site has no inference process"
    for child in children:
        child.suspend()
    try:
        yield
    finally:
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.resume()
