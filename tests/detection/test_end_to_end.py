"""One photo through the real thing: page, API and command line, with the worker and its inference child behind them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.live_site import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live_site import LiveSite

TRAINED = ("ml/weights/manifest.json", "ml/detect/calibration.json")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),  # a site, its child and two processes of the command line, maybe on a busy machine
    pytest.mark.skipif(
        not all((REPOSITORY / name).exists() for name in TRAINED), reason="no trained and calibrated detectors in ml/"
    ),
]


def told_by_command_line(path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "ml", "check", str(path), "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_page_api_and_command_line_say_the_same(
    live_site: LiveSite, astronaut_jpeg: bytes, astronaut_file: Path
) -> None:
    with live_site.visitor() as visitor:
        accepted = visitor.upload(astronaut_jpeg, "astronaut.jpg")
        assert accepted.status_code == 202, accepted.text
        by_page = accepted.json()["checks"][0]
        ended = visitor.wait(by_page["job"]["id"], timeout=240)
        assert ended["state"] == "succeeded", ended
        assert ended["device"]
        page = visitor.http.get(live_site.url + by_page["url"], headers={"Accept": "text/html"}, timeout=30)
        first = visitor.http.get(f"{live_site.url}/api/v1/checks/{by_page['id']}", timeout=30).json()

    with live_site.visitor() as program:
        files = {"file": ("astronaut.jpg", astronaut_jpeg, "image/jpeg")}
        accepted = program.http.post(f"{live_site.url}/api/v1/checks", files=files, timeout=60)
        assert accepted.status_code == 202, accepted.text
        program.wait(accepted.json()["job"]["id"], timeout=240)
        second = program.http.get(live_site.url + accepted.headers["Location"], timeout=30).json()
        assert program.http.get(f"{live_site.url}/api/v1/checks/{by_page['id']}", timeout=30).status_code == 404

    third = told_by_command_line(astronaut_file)
    assert first["level"] == second["level"] == third["level"]
    assert first["probability"] == pytest.approx(second["probability"], abs=1e-4)
    assert first["probability"] == pytest.approx(third["probability"], abs=1e-4)
    assert len(first["faces"]) == len(third["faces"]) == 1
    (face,), told = first["faces"], third["faces"][0]
    assert face["box"] == told["box"]
    assert set(face["detectors"]) == set(told["detectors"]) >= {"meso4", "mesoinception4", "boundary"}
    for name, probability in face["detectors"].items():
        assert probability == pytest.approx(told["detectors"][name], abs=1e-4)
    assert f"{round(100 * first['probability'])} %" in page.text
    assert first["width"] == first["height"] == 512
    assert first["weights_version"]
    assert first["thresholds_version"]


def test_a_picture_without_a_face_is_not_judged(live_site: LiveSite, faceless_jpeg: bytes) -> None:
    with live_site.visitor() as visitor:
        check = visitor.upload(faceless_jpeg, "grey.jpg").json()["checks"][0]
        assert visitor.wait(check["job"]["id"], timeout=240)["state"] == "succeeded"
        told = visitor.http.get(f"{live_site.url}/api/v1/checks/{check['id']}", timeout=30).json()
        page = visitor.http.get(live_site.url + check["url"], headers={"Accept": "text/html"}, timeout=30)
    assert (told["level"], told["reason_code"], told["probability"]) == ("not_applicable", "no_face", None)
    assert told["reason"] in page.text
    assert told["faces"] == []
