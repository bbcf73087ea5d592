"""Manifests of every standing: what holds, what does not and why, and what of it decides."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ml.provenance.manifest import ManifestState
from ml.provenance.validation import PROBLEMS, Problem
from tests.ml.provenance.signed_files import (
    CAPTURED,
    EDITED,
    GENERATED,
    SOURCE,
    Studio,
    action,
    app11,
    drawing,
    encoded,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ml.provenance.conftest import Read

MEDIA = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def altered(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("form", MEDIA)
def test_a_manifest_that_holds_and_says_generated_decides(studio: Studio, read: Read, form: str) -> None:
    found = read(studio.sign(encoded(form=form), GENERATED, media_type=MEDIA[form], title="Dream"))
    manifest = found.manifest
    assert manifest is not None
    assert (manifest.state, manifest.problem) == (ManifestState.VALID, None)
    assert found.says_generated is True
    assert (manifest.issuer, manifest.common_name, manifest.title) == ("Test maker", "Test camera", "Dream")
    assert manifest.generator == "Test program 1.0"
    assert manifest.signed_at == ""
    assert [each.source_type.code for each in manifest.ai] == ["trainedAlgorithmicMedia"]
    assert "created by generative AI" in found.summary
    assert "Test camera (Test maker)" in found.summary


def test_a_camera_that_signs_what_it_captured_decides_nothing(studio: Studio, read: Read) -> None:
    found = read(studio.sign(encoded(), CAPTURED))
    assert found.manifest is not None
    assert found.manifest.state is ManifestState.VALID
    assert found.says_generated is False
    assert found.manifest.ai == ()
    step = found.manifest.history[0]
    assert (step.action, step.words, step.software) == ("c2pa.created", "Created", "Test camera firmware")
    assert step.source_type is not None
    assert step.source_type.words == "captured by a camera from real life"


def test_no_manifest_says_nothing(read: Read) -> None:
    found = read(encoded())
    assert found.manifest is None
    assert found.says_generated is False
    assert found.summary == "The file carries no signed statement of its origin, which says nothing either way."


def test_whom_a_list_vouches_for_and_whether_it_holds_are_two_questions(studio: Studio, read: Read) -> None:
    signed = studio.sign(encoded(), GENERATED)
    nobody_asked, stranger, vouched = read(signed), read(signed, Studio.open().anchor), read(signed, studio.anchor)
    trusted = [each.manifest.trusted for each in (nobody_asked, stranger, vouched) if each.manifest]
    assert trusted == [None, False, True]
    for found in (nobody_asked, stranger, vouched):
        assert found.manifest is not None
        assert found.manifest.state is ManifestState.VALID
        assert found.says_generated is True
    assert "whom no trust list vouches for" in stranger.summary
    assert "whom no trust list vouches for" in nobody_asked.summary
    assert "trust list" not in vouched.summary


def test_the_installed_trust_list_is_read(
    studio: Studio, read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from ml.provenance import trust

    signed = studio.sign(encoded(), CAPTURED)
    for content, expected in ((studio.anchor, True), ("no certificate at all", None)):
        listed = tmp_path / "anchors.pem"
        listed.write_text(content)
        monkeypatch.setenv("UNMASK_TRUST_LIST", str(listed))
        trust.installed_trust_list.cache_clear()
        found = read(signed).manifest
        assert found is not None
        assert found.trusted is expected
    assert "holds no certificate" in caplog.text
    monkeypatch.setenv("UNMASK_TRUST_LIST", str(tmp_path / "nowhere.pem"))
    trust.installed_trust_list.cache_clear()
    assert read(signed).manifest is not None
    assert "cannot be read" in caplog.text
    trust.installed_trust_list.cache_clear()


def test_a_damaged_trust_list_trusts_nobody_and_stops_nothing(studio: Studio, read: Read) -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    found = read(studio.sign(encoded(), GENERATED), anchors=broken).manifest
    assert found is not None
    assert found.trusted is not True


def test_every_changed_byte_of_the_picture_is_noticed(studio: Studio, read: Read) -> None:
    signed = studio.sign(encoded(), GENERATED)
    start, end = app11(signed)
    for at in [*range(end + 600, len(signed) - 4, (len(signed) - end) // 12)]:
        found = read(altered(signed, at))
        assert found.manifest is not None
        assert (found.manifest.state, found.manifest.problem) == (ManifestState.BROKEN, Problem.CHANGED), at
        assert found.says_generated is False
        assert found.summary.startswith("The file was changed after it was signed")
    appended = read(signed + b"more").manifest
    assert appended is not None
    assert appended.problem is Problem.CHANGED
    inserted = read(signed[:start] + b"\xff\xfe\x00\x06abcd" + signed[start:]).manifest
    assert inserted is not None
    assert inserted.problem is Problem.CHANGED


@pytest.mark.parametrize(
    ("where", "problem"),
    [(b"trainedAlgorithmicMedia", Problem.STATEMENTS), (b"Test program", Problem.SIGNATURE)],
)
def test_a_changed_manifest_is_noticed(studio: Studio, read: Read, where: bytes, problem: Problem) -> None:
    signed = studio.sign(encoded(), GENERATED)
    found = read(altered(signed, signed.index(where)))
    assert found.manifest is not None
    assert (found.manifest.state, found.manifest.problem) == (ManifestState.BROKEN, problem)
    assert found.manifest.sentence == PROBLEMS[problem]
    assert found.says_generated is False


def test_a_manifest_moved_to_another_picture_is_noticed(studio: Studio, read: Read) -> None:
    signed, other = studio.sign(encoded(), GENERATED), encoded(drawing(seed=9))
    start, end = app11(signed)
    found = read(other[:start] + signed[start:end] + other[start:])
    assert found.manifest is not None
    assert found.manifest.problem is Problem.CHANGED
    assert found.says_generated is False


def test_an_expired_certificate_is_told_apart_from_a_changed_picture(read: Read) -> None:
    lifetime = timedelta(seconds=2)
    studio = Studio.open(lifetime=lifetime)
    signed = studio.sign(encoded(), GENERATED)
    time.sleep(lifetime.total_seconds() + 1.6)  # the library counts whole seconds
    for anchors in ("", studio.anchor):
        found = read(signed, anchors)
        assert found.manifest is not None
        assert (found.manifest.state, found.manifest.problem) == (ManifestState.BROKEN, Problem.EXPIRED)
        assert "expired" in found.summary
        assert found.says_generated is False


def test_the_history_begins_with_the_oldest_and_follows_the_parents(studio: Studio, read: Read) -> None:
    captured = studio.sign(encoded(), CAPTURED, generator="Camera")
    once = studio.sign(captured, EDITED, parent=True, generator="Retoucher")
    twice = studio.sign(once, action("c2pa.cropped"), parent=True, generator="Cropper", title="Last")
    manifest = read(twice).manifest
    assert manifest is not None
    assert manifest.state is ManifestState.VALID
    assert [step.action for step in manifest.history] == [
        "c2pa.created", "c2pa.opened", "c2pa.edited", "c2pa.opened", "c2pa.cropped",
    ]  # fmt: skip
    edited = manifest.history[2]
    assert (edited.words, edited.when, edited.software) == ("Edited", "2026-01-02T03:04:05Z", "Retoucher")
    assert manifest.history[-1].software == "Cropper 1.0"
    assert [(each.relationship, each.state) for each in manifest.ingredients] == [("parentOf", ManifestState.VALID)]


def test_a_generated_picture_that_was_edited_is_still_generated(studio: Studio, read: Read) -> None:
    found = read(studio.sign(studio.sign(encoded(), GENERATED), action("c2pa.cropped"), parent=True))
    assert found.says_generated is True
    found = read(studio.sign(altered(studio.sign(encoded(), GENERATED), -40), action("c2pa.cropped"), parent=True))
    assert found.manifest is not None
    assert found.manifest.ingredients[0].state is ManifestState.BROKEN
    assert found.says_generated is False, "a parent that had been changed when it was opened vouches for nothing"


def test_what_was_placed_into_a_picture_is_shown_and_decides_nothing(studio: Studio, read: Read) -> None:
    generated = studio.sign(encoded(drawing(seed=5)), GENERATED)
    found = read(studio.sign(encoded(), CAPTURED, inputs=(generated, encoded())))
    assert found.manifest is not None
    with_manifest, without = found.manifest.ingredients
    assert (with_manifest.says_generated, with_manifest.state) == (True, ManifestState.VALID)
    assert (without.says_generated, without.state) == (False, None)
    assert (with_manifest.title, with_manifest.words) == ("input 0", "placed into it")
    assert found.says_generated is False


@pytest.mark.parametrize(
    ("source", "generated"),
    [
        ("trainedAlgorithmicMedia", True),
        ("compositeWithTrainedAlgorithmicMedia", True),
        ("algorithmicallyEnhanced", False),
        ("compositeSynthetic", False),
        ("humanEdits", False),
    ],
)
def test_which_source_types_say_that_ai_made_it(studio: Studio, read: Read, source: str, generated: bool) -> None:
    signed = studio.sign(studio.sign(encoded(), CAPTURED), action("c2pa.edited", source), parent=True)
    found = read(signed)
    assert found.manifest is not None
    assert found.manifest.state is ManifestState.VALID
    assert found.says_generated is generated


@pytest.mark.parametrize("created", [True, False])
def test_only_what_the_signer_states_counts_not_what_was_gathered(studio: Studio, read: Read, created: bool) -> None:
    statement: dict[str, Any] = {
        "label": "stds.iptc",
        "kind": "Json",
        "data": {
            "@context": {"Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"},
            "Iptc4xmpExt:DigitalSourceType": SOURCE + "trainedAlgorithmicMedia",
        },
        "created": created,
    }
    found = read(studio.sign(encoded(), action("c2pa.created", "digitalCreation"), assertions=(statement,)))
    assert found.manifest is not None
    assert found.manifest.state is ManifestState.VALID
    assert found.says_generated is created


def test_a_manifest_that_breaks_the_rules_is_not_relied_on(studio: Studio, read: Read) -> None:
    # Opened, but not what: the signature holds, and the standard still says no.
    found = read(studio.sign(encoded(), action("c2pa.opened"), GENERATED))
    assert found.manifest is not None
    assert (found.manifest.state, found.manifest.problem) == (ManifestState.BROKEN, Problem.RULES)
    assert found.says_generated is False


def test_checks_come_with_a_sentence_and_failures_first(studio: Studio, read: Read) -> None:
    signed = studio.sign(encoded(), GENERATED)
    found = read(altered(signed, len(signed) - 40)).manifest
    assert found is not None
    assert found.checks[0].passed is False
    assert found.checks[0].code == "assertion.dataHash.mismatch"
    assert found.checks[0].sentence == "The file is not as it was signed."
    assert len({each.code for each in found.checks}) == len(found.checks)
    assert all(each.sentence.endswith(".") for each in found.checks)


def test_json_keeps_its_form(studio: Studio, read: Read) -> None:
    signed = studio.sign(studio.sign(encoded(), GENERATED), EDITED, parent=True)
    facts = read(signed).as_dict()
    assert json.loads(json.dumps(facts)) == facts
    assert set(facts) == {
        "version", "media", "summary", "says_generated", "manifest", "digital_source_type", "metadata", "compression",
        "perceptual_hash",
    }  # fmt: skip
    assert set(facts["manifest"]) == {
        "state", "problem", "sentence", "trusted", "trust_list", "issuer", "common_name", "signer", "generator",
        "signed_at", "algorithm", "format", "title", "checks", "ai", "history", "ingredients", "left_out",
        "remote_host", "says_generated",
    }  # fmt: skip
    assert facts["version"] == 1
    assert facts["manifest"]["state"] == "valid"
    assert set(facts["manifest"]["history"][0]) == {
        "action", "words", "when", "software", "source_type", "description",
    }  # fmt: skip
    assert set(read(encoded()).as_dict()) == set(facts)
