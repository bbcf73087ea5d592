"""Fixtures for the whole suite: a library's picture with a face in it, temporary files, a running site."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.live_site import LiveSite
from tests.pieces import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

SHARED_DATA = Path(os.environ.get("UNMASK_SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Several processes (`-n 2`, as `make test` does) are dealt pieces, not single tests."""
    from tests.pieces import PieceScheduling

    return PieceScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes
        items[:] = in_order(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    # The testing settings make a data directory for the run; it goes when the run ends.
    data_dir = os.environ.get("UNMASK_DATA_DIR", "")
    if Path(data_dir).name.startswith("unmask-test-"):
        shutil.rmtree(data_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of research data beside the repository; tests that need it are skipped where it is not."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the research data is not here (UNMASK_SHARED_DATA, or {SHARED_DATA})")
    return SHARED_DATA


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """scikit-image's picture of Eileen Collins (NASA, public domain): 512 x 512 RGB with one frontal face."""
    from skimage import data

    pixels: NDArray[np.uint8] = data.astronaut()
    return pixels


@pytest.fixture(scope="session")
def astronaut_jpeg(astronaut: NDArray[np.uint8]) -> bytes:
    return _encoded(astronaut, "JPEG")


@pytest.fixture(scope="session")
def astronaut_png(astronaut: NDArray[np.uint8]) -> bytes:
    return _encoded(astronaut, "PNG")


@pytest.fixture(scope="session")
def faceless_jpeg() -> bytes:
    """A picture drawn by code, with nobody in it."""
    return _encoded(Image.linear_gradient("L").resize((320, 240)).convert("RGB"), "JPEG")


@pytest.fixture
def astronaut_file(astronaut_jpeg: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "astronaut.jpg"
    path.write_bytes(astronaut_jpeg)
    return path


@pytest.fixture
def media_root(settings: object, tmp_path: Path) -> Path:
    """Stored files of one test, gone after it."""
    root = tmp_path / "files"
    settings.MEDIA_ROOT = root  # type: ignore[attr-defined]
    return root


@pytest.fixture(scope="session")
def live_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """One `manage.py serve` for the whole run. Tests that kill, restart or fill a site take `new_site` instead."""
    site = LiveSite(tmp_path_factory.mktemp("site") / "data", {"UNMASK_LOG_LEVEL": "INFO"})
    try:
        yield site.start()
    finally:
        site.stop()


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Callable[..., LiveSite]]:
    """Makes sites for one test: `new_site({"NAME": "value"}).start()`; they are stopped when it ends."""
    made: list[LiveSite] = []

    def make(environment: Mapping[str, str] | None = None) -> LiveSite:
        made.append(LiveSite(tmp_path / f"site{len(made)}", environment))
        return made[-1]

    try:
        yield make
    finally:
        for site in made:
            site.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test that used a site shows the end of that site's log."""
    report: pytest.TestReport = yield  # type: ignore[misc, assignment]
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, LiveSite):
                report.sections.append(("site log", value.output()[-8000:]))
    return report  # type: ignore[return-value]


def _encoded(picture: NDArray[np.uint8] | Image.Image, form: str) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, form, quality=92)
    return buffer.getvalue()
