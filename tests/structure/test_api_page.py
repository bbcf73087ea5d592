"""The commands of docs/api.md, run as they stand, against a real site."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.live_site import REPOSITORY, site_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live_site import LiveSite

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed"),
]

TOKEN = """
from django.contrib.auth import get_user_model
from detection.models import ApiToken
member = get_user_model().objects.create_user("reader", "reader@unmask.example", "correct horse battery")
from django.contrib.auth.models import Group
from generation import services, texts
member.groups.add(Group.objects.get(name="member"))
services.accept_terms(member, texts.terms().version)
print("token", ApiToken.issue(member, "docs")[1])
"""


def commands() -> list[str]:
    page = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def test_commands_do_what_the_page_says(live_site: LiveSite, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(astronaut_jpeg)
    printed = live_site.manage("shell", "--command", TOKEN)
    token = re.search(r"^token (\S+)$", printed, re.MULTILINE)
    assert token, printed
    blocks = commands()
    assert len(blocks) == 13
    # One shell for all, as a reader would paste them; a line after each block tells where one ends.
    script = "set -euo pipefail\n" + "".join(
        f"{block}\necho '<<end of block {i}>>'\n" for i, block in enumerate(blocks)
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=site_environment(tmp_path, {"SITE": live_site.url, "TOKEN": token[1], "no_proxy": "127.0.0.1"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    printed_by = re.split(r"<<end of block \d+>>\n", done.stdout)

    accepted = json.loads((tmp_path / "accepted.json").read_text(encoding="utf-8"))
    assert printed_by[1].strip() == f"/api/v1/checks/{accepted['id']}"
    ended = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    assert ended["state"] == "succeeded", ended
    assert ended["level"] in {"likely_manipulated", "inconclusive", "likely_authentic"}
    assert len(ended["faces"]) == 1
    x0, y0, x1, y1 = ended["faces"][0]["box"]
    assert 0 <= x0 < x1 <= ended["width"]
    assert 0 <= y0 < y1 <= ended["height"]
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["original"]["sha256"] == hashlib.sha256(astronaut_jpeg).hexdigest() == ended["sha256"]
    assert report["faces"][0]["pictures"] == ended["faces"][0]["pictures"]
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert (tmp_path / "face.jpg").read_bytes().startswith(b"\xff\xd8")
    assert printed_by[4].split() == ["204"]
    first, rest = json.JSONDecoder().raw_decode(printed_by[5])
    listed = json.loads(printed_by[5][rest:])
    assert [line["id"] for line in listed["items"]] == [first["id"]], "a member's list holds the member's check alone"
    status, refusal = printed_by[6].split("\n", 1)
    assert status == "415"
    assert set(json.loads(refusal)["error"]) == {"code", "message", "id"}
    made = json.loads((tmp_path / "enhancement.json").read_text(encoding="utf-8"))
    assert made["state"] == "succeeded", made
    assert [result["method"] for result in made["results"]] == ["compact", "bicubic"]
    assert made["figures"]["detector"]["faces"] == 1
    larger = (tmp_path / "larger.jpg").read_bytes()
    assert hashlib.sha256(larger).hexdigest() == made["results"][0]["sha256"]
    assert made["results"][0]["width"] == 2 * made["width"]
    assert printed_by[8].split() == ["204"]
    moved = json.loads((tmp_path / "animation.json").read_text(encoding="utf-8"))
    assert (moved["kind"], moved["state"]) == ("animation", "queued")
    told, rest = json.JSONDecoder().raw_decode(printed_by[10])
    assert told["id"] == moved["id"]
    assert printed_by[10][rest:].split() == ["204"]
    swapped = json.loads((tmp_path / "swap.json").read_text(encoding="utf-8"))
    assert swapped["state"] == "succeeded", swapped
    assert set(swapped["facts"]["score"]) == {"before", "after"}
    taken = hashlib.sha256((tmp_path / "swapped.jpg").read_bytes()).hexdigest()
    assert taken in {file["sha256"] for file in swapped["files"]}
    assert printed_by[12].split() == ["204"]


def test_command_line_judges_the_same_face(astronaut_file: Path, tmp_path: Path) -> None:
    """The README's command without the web: one JSON object a line, and a file that cannot be judged is no failure."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")
    done = subprocess.run(
        [sys.executable, "-m", "ml", "check", astronaut_file, broken, "--json"],
        cwd=REPOSITORY,
        env=site_environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    judged, refused = map(json.loads, done.stdout.splitlines())
    assert len(judged["faces"]) == 1
    assert set(judged["faces"][0]["detectors"]) >= {"meso4", "mesoinception4", "boundary"}
    assert refused["level"] == "not_applicable"
    assert refused["reason"]
