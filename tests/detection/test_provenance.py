"""The panel of a file's origin: real readings of real files, on the owner's page and on a shared link."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from detection import services
from detection.templatetags import provenance_words as words
from detection.templatetags.provenance import for_link
from ml.provenance import actions, metadata, quantisation, software, source_type, validation
from ml.provenance.reading import read_provenance
from tests.detection import factories
from tests.ml.provenance.signed_files import CAPTURED, EDITED, GENERATED, Studio, action, encoded
from tests.ml.provenance.test_metadata_reading import camera_exif, with_xmp

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

    from detection.models import Check

URI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PRIVATE = ("Canon EOS R5", "RF50mm", "1/250 s", "ISO 400", "2026", "8192", "serial number", "where it was taken")


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio.open()


def facts_of(data: bytes, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "file"
    path.write_bytes(data)
    return read_provenance(path).as_dict()


def checked(owner: User, facts: dict[str, Any]) -> Check:
    """A finished check whose file had these facts, as the worker leaves it."""
    check = factories.queued(factories.requester(owner))
    result = replace(factories.RESULT, provenance=facts, perceptual_hash=facts.get("perceptual_hash", ""))
    return factories.finished(check, result)


def panel(html: str) -> str:
    found = re.search(r'<section class="result__wide section origin".*?</section>', html, re.DOTALL)
    assert found is not None
    return re.sub(r"\s+", " ", found[0])


def page_of(client: Client, check: Check) -> str:
    return panel(client.get(check.get_absolute_url()).content.decode())


def shared_page_of(check: Check) -> str:
    services.share_check(check)
    check.refresh_from_db()
    return panel(Client().get(reverse("detection:shared", args=[check.share_token])).content.decode())


def test_a_generated_picture(ada: User, ada_client: Client, studio: Studio, tmp_path: Path) -> None:
    data = studio.sign(studio.sign(encoded(), GENERATED, title="Dream"), EDITED, parent=True)
    html = page_of(ada_client, checked(ada, facts_of(data, tmp_path)))
    assert 'data-origin="valid"' in html
    assert "A signed statement says: made with AI" in html
    assert "Test camera (Test maker)" in html
    assert "No trust list is installed here" in html
    assert "Created: created by generative AI" in html
    history = html[html.index("origin__history") :]
    assert history.index("Created") < history.index("Opened") < history.index("Retoucher")
    assert "Jan. 2, 2026" in history
    assert "Its own signed statement held when it was used." in html
    assert "The file is as it was signed." in html


@pytest.mark.parametrize(
    ("spoil", "state", "title"),
    [
        (lambda data: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:], "broken", "Changed after it was signed"),
        (lambda data: data.replace(b"Test program", b"Fake program"), "broken", "The signature does not fit"),
        (lambda data: data.replace(b"jumdc2pa", b"jum\0c2pa"), "unreadable", "A signed statement that cannot be read"),
    ],
)
def test_what_does_not_hold_is_said_to_be_so(
    ada: User, ada_client: Client, studio: Studio, tmp_path: Path, spoil: Any, state: str, title: str
) -> None:
    html = page_of(ada_client, checked(ada, facts_of(spoil(studio.sign(encoded(), GENERATED)), tmp_path)))
    assert f'data-origin="{state}"' in html
    assert title in html
    assert "made with AI" not in html


def test_absence_says_nothing(ada: User, ada_client: Client, tmp_path: Path) -> None:
    html = page_of(ada_client, checked(ada, facts_of(encoded(), tmp_path)))
    assert 'data-origin="none"' in html
    assert "That says nothing either way." in html
    assert "Nothing: no camera, no date, no program." in html
    assert "JPEG quality" in html
    for word in ("authentic", "suspicious", "fake", "%"):
        assert word not in html, "facts, not scores"


def test_the_owner_sees_the_camera_and_nobody_the_place(ada: User, ada_client: Client, tmp_path: Path) -> None:
    html = page_of(ada_client, checked(ada, facts_of(encoded(exif=camera_exif()), tmp_path)))
    for words_ in (
        "Canon EOS R5",
        "RF50mm F1.2 L USM",
        "Jan. 2, 2026",
        "UTC+01:00",
        "The file tells where it was taken.",
    ):
        assert words_ in html
    for secret in ("SERIAL-0042", "29.62", "40.2"):
        assert secret not in html


def test_a_shared_link_shows_the_manifest_and_not_the_camera(
    ada: User, ada_client: Client, studio: Studio, tmp_path: Path
) -> None:
    data = studio.sign(
        encoded(exif=camera_exif()), CAPTURED, action("c2pa.edited", description="our secret"), title="IMG_7"
    )
    check = checked(ada, facts_of(data, tmp_path))
    assert "our secret" in page_of(ada_client, check)
    html = shared_page_of(check)
    assert "A signed statement that holds" in html
    assert "captured by a camera from real life" in html
    assert "Test camera (Test maker)" in html
    assert "Adobe Lightroom" in html
    for secret in (*PRIVATE, "our secret", "IMG_7"):
        assert secret not in html, secret


def test_what_a_link_may_know(studio: Studio, tmp_path: Path) -> None:
    facts = facts_of(studio.sign(encoded(exif=camera_exif()), CAPTURED, title="IMG_7"), tmp_path)
    public = str(for_link(facts))
    for secret in (*PRIVATE[:6], "IMG_7", "has_location", facts["perceptual_hash"]):
        assert secret in str(facts)
        assert secret not in public
    assert for_link({}) == {"perceptual_hash": "", "metadata": {}}


def test_an_unsigned_statement_is_shown_and_does_not_decide(ada: User, ada_client: Client, tmp_path: Path) -> None:
    facts = facts_of(with_xmp(f"<ext:DigitalSourceType>{URI}</ext:DigitalSourceType>"), tmp_path)
    check = checked(ada, facts)
    for html in (page_of(ada_client, check), shared_page_of(check)):
        assert "It calls itself: created by generative AI." in html
        assert "it is shown and does not decide" in html
        assert "Snapseed" in html


def test_hostile_words_are_text(ada: User, ada_client: Client, studio: Studio, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>{{ x }}<img src=x onerror=1>"
    exif = Image.Exif()
    exif[0x010F], exif[0x0131] = evil, evil
    data = studio.sign(
        encoded(exif=exif),
        action(evil, softwareAgent=evil, description=evil, when=evil),
        action("c2pa.created", "trainedAlgorithmicMedia"),
        title=evil,
        generator=evil,
    )
    html = page_of(ada_client, checked(ada, facts_of(data, tmp_path)))
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6


@pytest.mark.parametrize(
    "facts",
    [
        {"version": 1},
        {"version": 99, "manifest": {"state": "new", "checks": [None, {}], "history": ["x", {}], "ai": {}}},
        {"manifest": "text", "metadata": [], "compression": 3, "digital_source_type": {}},
        {"manifest": {"state": "broken", "problem": "unheard of", "signed_at": "2026-99-99T00:00:00"}},
        {
            "metadata": {"noted_size": [1], "taken": "yesterday", "software": [{"kind": 3}]},
            "compression": {"quality": "x"},
        },
    ],
)
def test_facts_of_another_version_do_not_stop_the_page(ada: User, ada_client: Client, facts: dict[str, Any]) -> None:
    assert "Where it comes from" in page_of(ada_client, checked(ada, facts))


def test_what_was_made_here_is_named(ada: User, ada_client: Client, tmp_path: Path) -> None:
    own = [{"date": "2026-03-03", "job": "0f8c<b>", "words": "A face swap."}]
    html = page_of(ada_client, checked(ada, {**facts_of(encoded(), tmp_path), "own": own}))
    assert "Made on this site" in html
    assert "A face swap. On March 3, 2026, job 0f8c&lt;b&gt;." in html


def test_a_check_without_facts_has_no_panel(ada: User, ada_client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    assert "Where it comes from" not in ada_client.get(check.get_absolute_url()).content.decode()


def test_the_site_has_words_for_every_code() -> None:
    assert set(words.PROBLEMS) == set(words.PROBLEM_TITLES) == {each.value for each in validation.Problem}
    assert set(words.SOURCE_TYPES) == set(source_type.WORDS)
    assert set(words.ACTIONS) == set(actions.WORDS)
    assert set(words.RELATIONSHIPS) == set(actions.RELATIONSHIPS)
    assert set(words.STYLES) == {each.value for each in quantisation.Style}
    assert set(words.KINDS) == {each.value for each in software.Kind}
    assert set(words.GENERATOR_TEXTS) == set(metadata.GENERATOR_TEXTS.values())
    assert set(words.CHECKS) == set(validation._SENTENCES)
