"""Animations: from portrait and movement to a sealed clip, by the engine that ships and by one that moves nothing."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.db import transaction
from PIL import Image

from generation import animations, motions, networks, services
from generation.animation import ANIMATION, DRIVER, NAME, PORTRAIT
from generation.animation_forms import SettingsForm
from generation.animations import Cast
from generation.consents import Consent
from generation.ledger import LedgerEntry
from generation.models import Generation
from generation.refusals import Reason, Refused
from generation.services import Part, Wish
from jobs import lifecycle
from jobs.errors import IntakeError, PersonError
from jobs.models import Artifact, Job, MadeOutput
from tests import clips
from tests.detection import factories
from tests.generation import animating as moving
from tests.generation import making as do

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from numpy.typing import NDArray

pytestmark = pytest.mark.django_db


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.animate.animate.run", moving.still_engine)


@pytest.fixture(scope="module")
def driving() -> bytes:
    return clips.encoded(clips.astronaut_frames(12))


def has_band(pixels: NDArray[np.uint8], site: str = "Unmask") -> bool:
    """Whether the band of that size lies along the bottom edge, as far as a video codec keeps it."""
    from ml.provenance.visible_mark import band

    drawn = band(pixels.shape[1], pixels.shape[0], site)
    there = pixels[pixels.shape[0] - drawn.shape[0] :].astype(np.float32)
    return bool(np.corrcoef(there.ravel(), drawn.astype(np.float32).ravel())[0, 1] > 0.9)


# --- The catalogue ----------------------------------------------------------------------------------------------------
def test_the_built_in_motions_are_those_of_the_engine() -> None:
    from ml.animate.drivers import catalogue

    told = [(motion.slug, motion.seconds) for motion in motions.motions()]
    assert told == [(built_in.slug, built_in.seconds) for built_in in catalogue()]
    assert {motion.slug for motion in motions.motions()} <= set(motions.NAMES), "a motion without a translated name"
    assert motions.find("motion:nod") is not None
    assert motions.find("nod") is None
    assert motions.find("motion:../nod") is None


def test_a_catalogue_that_cannot_be_read_leaves_the_clips(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path
    assert motions.motions() == ()


# --- Ways round -------------------------------------------------------------------------------------------------------
def attempt(user: User, parts: tuple[Part, ...], **changes: Any) -> Reason:
    wish = Wish(**{"kind": NAME, "parts": parts, "affirmed": True, **changes})
    with pytest.raises(Refused) as refused, transaction.atomic():
        services.submit_generation(do.requester(user), wish)
    assert not Job.objects.filter(kind=NAME).exists()
    return refused.value.reason


def test_nothing_is_animated_without_consent(ada: User, ben: User, astronaut_jpeg: bytes, driving: bytes) -> None:
    shown, driver = moving.portrait(ada, astronaut_jpeg), moving.clip(ada, driving)
    consent, of_driver = do.consented(ada, shown), do.consented(ada, driver)
    of_ben = do.consented(ben, moving.portrait(ben, astronaut_jpeg))
    withdrawn = do.consented(ada, shown)
    services.revoke_consent(withdrawn)
    nod = Part(DRIVER, identity=moving.MOTION)
    assert attempt(ada, (Part(PORTRAIT, shown), nod)) is Reason.NO_CONSENT
    assert attempt(ada, (Part(PORTRAIT, shown, of_ben), nod)) is Reason.CONSENT_OF_ANOTHER
    assert attempt(ada, (Part(PORTRAIT, shown, of_driver), nod)) is Reason.CONSENT_FOR_ANOTHER_FACE
    assert attempt(ada, (Part(PORTRAIT, shown, withdrawn), nod)) is Reason.CONSENT_WITHDRAWN
    assert attempt(ada, (Part(PORTRAIT, shown, consent), Part(DRIVER, driver))) is Reason.NO_CONSENT
    assert attempt(ada, (Part(PORTRAIT, shown, consent),)) is Reason.NO_CONSENT
    assert attempt(ada, (nod,)) is Reason.NO_CONSENT
    assert attempt(ada, (Part(PORTRAIT, shown, consent), nod), affirmed=False) is Reason.NOT_AFFIRMED
    services.submit_generation(do.requester(ada), Wish(NAME, (Part(PORTRAIT, shown, consent), nod), affirmed=True))


def test_a_motion_is_a_driver_and_nothing_else_and_no_person_is_one(ada: User, astronaut_jpeg: bytes) -> None:
    shown = moving.portrait(ada, astronaut_jpeg)
    consent = do.consented(ada, shown)
    given = Part(PORTRAIT, shown, consent)
    for identity in ("motion:no-such", "nobody-1", "nod", "motion:", "learned:1"):
        assert attempt(ada, (given, Part(DRIVER, identity=identity))) is Reason.UNKNOWN_IDENTITY
    assert attempt(ada, (given, Part(DRIVER, None, consent, moving.MOTION))) is Reason.UNKNOWN_IDENTITY
    nod = Part(DRIVER, identity=moving.MOTION)
    assert attempt(ada, (Part(PORTRAIT, identity=moving.MOTION), nod)) is Reason.UNKNOWN_IDENTITY
    assert attempt(ada, (Part(PORTRAIT, identity="nobody-1"), nod)) is Reason.NO_CONSENT  # nobody answers for it
    requester = do.requester(ada)
    told = {"inputs": [given.as_params(), nod.as_params()], "affirmed": True}
    other = moving.portrait(ada, factories.jpeg())
    with pytest.raises(Refused), transaction.atomic():  # a file that nobody spoke of
        lifecycle.submit(NAME, requester, [shown, other], told)


def test_a_built_in_person_is_no_portrait(ada: User, driving: bytes, tmp_path: Path, still: None) -> None:
    """Admitted with the driver's consent alone; the handler does not know such a portrait."""
    driver = moving.clip(ada, driving)
    parts = (Part(PORTRAIT, identity="nobody-1"), Part(DRIVER, driver, do.consented(ada, driver)))
    made = services.submit_generation(do.requester(ada), Wish(NAME, parts, affirmed=True))
    with pytest.raises(Refused) as refused:
        moving.run(moving.claimed(made), tmp_path / "work")
    assert refused.value.reason is Reason.UNKNOWN_IDENTITY


def test_more_people_than_consents(ada: User, astronaut: NDArray[np.uint8], tmp_path: Path, still: None) -> None:
    both = np.hstack([astronaut[:300, 100:360], astronaut[:300, 100:360]])
    buffer = io.BytesIO()
    Image.fromarray(both).save(buffer, "JPEG", quality=92)
    made = moving.submitted(ada, buffer.getvalue())
    with pytest.raises(Refused) as refused:
        moving.run(moving.claimed(made), tmp_path / "work")
    assert refused.value.reason is Reason.MORE_PEOPLE


def test_a_driver_that_was_taken_down_is_known_by_its_looks(
    ada: User, astronaut_jpeg: bytes, driving: bytes, tmp_path: Path, still: None
) -> None:
    from generation.blocks import BlockedPicture
    from ml.provenance.perceptual_hash import perceptual_hash

    made = moving.submitted(ada, astronaut_jpeg, driving)
    BlockedPicture.block(sha256="", perceptual_hash=perceptual_hash(clips.astronaut_frames(12)[0]), note="a test")
    with pytest.raises(Refused) as refused:
        moving.run(moving.claimed(made), tmp_path / "work")
    assert refused.value.reason is Reason.BLOCKED_PICTURE


def test_files_of_the_wrong_kind(ada: User, astronaut_jpeg: bytes, driving: bytes, tmp_path: Path) -> None:
    with pytest.raises(IntakeError):
        moving.portrait(ada, driving)
    shown = moving.clip(ada, driving)  # a clip that came in as a driver, given as the portrait
    cast = Cast(shown, motion=motions.find(moving.MOTION))
    stated = {PORTRAIT: do.consented(ada, shown)}
    made = animations.submit(do.requester(ada), cast, stated, affirmed=True, options={})
    with pytest.raises(PersonError) as error:
        moving.run(moving.claimed(made), tmp_path / "work")
    assert error.value.code == "not_an_image"


def test_settings_that_there_are_not(ada: User, astronaut_jpeg: bytes, tmp_path: Path, still: None) -> None:
    for number, options in enumerate(({"motion": "sideways"}, {"movement": 9}, {"movement": "much"}, {"framing": 1})):
        made = moving.submitted(ada, astronaut_jpeg, **options)
        job = moving.claimed(made)
        with pytest.raises(PersonError) as error:
            moving.run(job, tmp_path / str(number))
        assert error.value.code == "settings"
        lifecycle.fail(job.pk, job.attempt, "settings", "no")
    good = {**animations.OPTIONS, "framing": "square", "restore_faces": True}
    assert animations.checked_options(good) == good
    for wrong in ({"motion": ""}, {"movement": 0.0}, {"movement": float("nan")}, {"framing": "x"}):
        with pytest.raises(animations.UnknownSetting):
            animations.checked_options({**good, **wrong})


# --- What is made -----------------------------------------------------------------------------------------------------
def test_what_is_made_is_sealed_in_every_part(
    ada: User, astronaut_jpeg: bytes, driving: bytes, tmp_path: Path, still: None, settings: Any
) -> None:
    from ml.provenance.plan import Work
    from ml.provenance.verification import verify

    made = moving.submitted(ada, astronaut_jpeg, driving, movement=1.5)
    job = moving.claimed(made)
    watcher = moving.Watcher()
    result = moving.run(job, tmp_path / "work", watcher)
    assert [output.role for output in result.outputs] == ["result", "poster", "comparison"]
    assert {code for code, _label, _share in ANIMATION.stages} >= set(watcher.stages)
    for output in result.outputs:
        seal = verify(output.data, output.content_type, settings.GENERATION_AUTHORITY_DIR)
        assert (seal.job, seal.work, len(seal.consents)) == (str(job.pk), Work.ANIMATION, 2)
        assert moving.signed_weights(output.data, output.content_type)["motion"].startswith("trained here"), output.role
        frames = moving.frames_of(output.data)
        assert len(frames) == (1 if output.role == "poster" else 8)
        assert all(has_band(frame) for frame in frames), output.role
        assert "dictionary" not in moving.signed_weights(output.data, output.content_type)  # no face was drawn anew
    assert len(watcher.previews) >= 2  # the crop, and a frame
    for preview in watcher.previews:
        assert verify(preview, "image/jpeg", settings.GENERATION_AUTHORITY_DIR).job == str(job.pk)
        assert moving.signed_weights(preview, "image/jpeg")["motion"]
        with Image.open(io.BytesIO(preview)) as image:
            assert has_band(np.asarray(image.convert("RGB"), np.uint8))
    lifecycle.succeed(job.pk, job.attempt, result)
    made.refresh_from_db()
    assert made.result is not None
    assert made.is_video
    assert made.facts["score"]["after"]["looked_at"] > 0
    assert made.facts["provenance"]["manifest"]["state"] == "valid"
    left, top, width, height = made.facts["crop"]
    assert 0 <= left < left + width <= 100
    assert 0 <= top < top + height <= 100
    assert set(made.inputs.values_list("role", flat=True)) == {PORTRAIT, DRIVER}
    assert all(made.inputs.exclude(sha256="").values_list("perceptual_hash", flat=True))
    line = json.loads(LedgerEntry.objects.get(event="made").body)
    assert (line["kind"], len(line["consents"])) == (NAME, 2)
    assert MadeOutput.objects.filter(job_ref=job.pk).count() == 3
    assert Artifact.objects.get(job=job, role=Artifact.BEFORE).content_type == "image/jpeg"


def test_a_file_says_whose_faces_were_drawn_anew(ada: User, astronaut_jpeg: bytes, tmp_path: Path, still: None) -> None:
    job = moving.claimed(moving.submitted(ada, astronaut_jpeg, restore_faces=True))
    watcher = moving.Watcher()
    for output in moving.run(job, tmp_path / "work", watcher).outputs:
        told = moving.signed_weights(output.data, output.content_type)
        assert told["dictionary"].startswith("trained here"), output.role
    assert all("dictionary" in moving.signed_weights(preview, "image/jpeg") for preview in watcher.previews)


def test_an_imported_network_is_offered_by_its_file_and_named_in_what_it_makes(
    ada: User, astronaut_jpeg: bytes, tmp_path: Path, still: None, settings: Any
) -> None:
    from ml.importers.converted import write_converted
    from ml.networks.fomm import FirstOrderMotion
    from tests.ml.fomm_states import TINY

    settings.ENHANCEMENT_NETWORKS_DIR = tmp_path / "networks"
    assert networks.offered() == []
    assert "network" not in SettingsForm().fields
    settings.ENHANCEMENT_NETWORKS_DIR.mkdir()
    path = tmp_path / "networks" / "made-up.fomm.npz"
    write_converted(path, "fomm", FirstOrderMotion(TINY), source="made-up.pth.tar", sha256="0" * 64)
    (tmp_path / "networks" / "RRDB.pth").write_bytes(b"an upscaler")
    assert networks.offered() == [path.name]
    form = SettingsForm({"motion": "relative", "movement": "1", "framing": "square", "network": path.name})
    assert form.is_valid()
    assert form.options["network"] == path.name
    job = moving.claimed(moving.submitted(ada, astronaut_jpeg, **form.options))
    result = moving.run(job, tmp_path / "work")
    for output in result.outputs:
        told = moving.signed_weights(output.data, output.content_type)["motion"]
        assert told.startswith(f"imported: {path.name}, sha256 "), output.role
    lifecycle.succeed(job.pk, job.attempt, result)
    for name in ("../secret.fomm.npz", "gone.fomm.npz", "RRDB.pth"):
        with pytest.raises(animations.UnknownSetting):
            animations.checked_options({**animations.OPTIONS, "network": name})
    for number, gone in enumerate((False, True)):  # damaged, then away
        path.write_bytes(b"no network")
        job = moving.claimed(moving.submitted(ada, astronaut_jpeg, network=path.name))
        if gone:
            path.unlink()
        with pytest.raises(PersonError, match="Choose another one") as error:
            moving.run(job, tmp_path / f"damaged{number}")
        assert error.value.code == "settings"
        lifecycle.fail(job.pk, job.attempt, "settings", "no")


def test_a_small_portrait_is_enlarged_until_the_band_leaves_the_face_free(
    ada: User, astronaut: NDArray[np.uint8], tmp_path: Path, still: None
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(astronaut[:260, 110:350]).save(buffer, "JPEG", quality=92)
    job = moving.claimed(moving.submitted(ada, buffer.getvalue()))
    (output, *others) = moving.run(job, tmp_path / "work").outputs
    assert min(output.width, output.height) == 512
    assert [other.role for other in others] == ["poster"]


def test_again_uses_what_is_still_there_and_the_statement_that_holds(
    ada: User, ben: User, astronaut_jpeg: bytes, driving: bytes, tmp_path: Path, still: None
) -> None:
    from generation import uploads

    made = moving.submitted(ada, astronaut_jpeg, driving, movement=1.5)
    job = moving.claimed(made)
    lifecycle.succeed(job.pk, job.attempt, moving.run(job, tmp_path / "work"))
    requester = do.requester(ada)
    earlier = animations.earlier(requester, made.pk)
    assert earlier is not None
    assert earlier.options["movement"] == 1.5
    assert earlier.portrait is not None
    assert earlier.clip is not None
    assert animations.earlier(do.requester(ben), made.pk) is None
    copy = uploads.copied(earlier.portrait, requester)
    assert (copy.sha256, copy.job, copy.owner) == (earlier.portrait.sha256, None, ada)
    assert factories.content(copy) == astronaut_jpeg
    held = uploads.consent_for(ada, copy)
    assert held == made.consent
    assert uploads.consent_for(ben, copy) is None
    services.revoke_consent(made.consent)
    assert uploads.consent_for(ada, copy) is None
    assert animations.earlier(requester, made.pk) is None  # it was withdrawn with its consent


def test_a_statement_in_old_words_does_not_hold(ada: User, astronaut_jpeg: bytes) -> None:
    from generation import uploads

    shown = moving.portrait(ada, astronaut_jpeg)
    do.consented(ada, shown)
    assert uploads.consent_for(ada, shown) is not None
    Consent.objects.update(version="0")
    assert uploads.consent_for(ada, shown) is None


@pytest.mark.slow
def test_the_shipped_network_moves_a_portrait(ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    """Nodding: the head goes down and comes back; what is around the square stands still."""
    made = moving.submitted(ada, astronaut_jpeg)
    job = moving.claimed(made)
    result = moving.run(job, tmp_path / "work")
    lifecycle.succeed(job.pk, job.attempt, result)
    frames = [frame.astype(np.float32) for frame in moving.frames_of(result.outputs[0].data)]
    assert len(frames) == result.facts["frames"] == 80
    left, top, width, height = (value / 100 * 512 for value in result.facts["crop"])
    face = np.s_[round(top + 0.3 * height) : round(top + 0.7 * height), round(left) : round(left + width)]
    moved = [float(np.abs(frame[face] - frames[0][face]).mean()) for frame in frames]
    assert max(moved) > 4.0, "nothing moved"
    assert moved[-1] < 0.5 * max(moved), "it does not come back"
    around = np.s_[440:452, 0:100]
    assert max(float(np.abs(frame[around] - frames[0][around]).mean()) for frame in frames) < 3.0
    assert result.weights["motion"]
    assert Generation.objects.get(pk=made.pk).poster_id is not None
