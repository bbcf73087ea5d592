"""The command line animates behind the same gate: no record of consent, no job; and what comes out is sealed."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from generation import services
from generation.animation import DRIVER, NAME, PORTRAIT
from generation.models import Consent, Generation
from jobs import lifecycle
from jobs.models import Artifact, Job
from ml import handover
from ml.__main__ import main
from tests import clips
from tests.detection import factories
from tests.generation import animating as moving
from tests.generation import making as do

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def portrait(tmp_path: Path, astronaut_jpeg: bytes) -> Path:
    path = tmp_path / "portrait.jpg"
    path.write_bytes(astronaut_jpeg)
    return path


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    path = tmp_path / "driver.mp4"
    path.write_bytes(clips.encoded(clips.astronaut_frames(6)))
    return path


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Does the job while the command waits for it."""

    def work(_: float) -> None:
        job = lifecycle.claim("tests", [NAME])
        assert job is not None
        lifecycle.succeed(job.pk, job.attempt, moving.run(job, tmp_path / "attempt"))

    monkeypatch.setattr("generation.management.making.time.sleep", work)


def stated(user: User, path: Path) -> str:
    """The number of a record of the user's, as the page makes one for a file."""
    accept = moving.clip if path.suffix == ".mp4" else moving.portrait
    artifact = accept(user, path.read_bytes())
    consent = do.consented(user, artifact)
    artifact.delete()
    return str(consent.pk)


def animate(portrait: Path, out: Path, consent: Any, *more: str) -> None:
    call_command("animate", str(portrait), str(out), "--consent", str(consent), *more)


def test_an_animation_by_the_network_comes_back_sealed(
    ada: User, portrait: Path, driver: Path, tmp_path: Path, worker: None, settings: Any
) -> None:
    """The whole job: the shipped network follows a clip, under the records of both people."""
    from ml.provenance.plan import Work
    from ml.provenance.verification import verify

    out, own, of_driver = tmp_path / "out.mp4", stated(ada, portrait), stated(ada, driver)
    by = ("--driver", str(driver), "--driver-consent", of_driver)
    animate(portrait, out, own, "--affirm", *by, "--framing", "square", "--movement", "1.5", "--title", "By command")
    generation = Generation.objects.get()
    assert generation.result is not None
    assert out.read_bytes() == factories.content(generation.result)
    assert (generation.owner, generation.title) == (ada, "By command")
    assert {each.role: str(each.consent_id) for each in generation.inputs.all()} == {PORTRAIT: own, DRIVER: of_driver}
    assert generation.job.params["options"]["movement"] == 1.5
    assert len(moving.frames_of(out.read_bytes())) == 6
    seal = verify(out.read_bytes(), "video/mp4", settings.GENERATION_AUTHORITY_DIR)
    assert (seal.job, seal.work, len(seal.consents)) == (str(generation.job_id), Work.ANIMATION, 2)
    assert not list(tmp_path.glob(".*.part"))


def test_without_a_record_that_holds_there_is_no_job(
    ada: User, portrait: Path, driver: Path, faceless_jpeg: bytes, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    nod = ("--affirm", "--built-in", "nod")
    for number in ("", "yes", uuid.uuid4()):
        with pytest.raises(CommandError, match="without a record of consent") as refused:
            animate(portrait, out, number, *nod)
        assert refused.value.returncode == 2
    wall = tmp_path / "wall.jpg"
    wall.write_bytes(faceless_jpeg)
    good, of_wall, revoked = stated(ada, portrait), stated(ada, wall), stated(ada, portrait)
    services.revoke_consent(Consent.objects.get(pk=revoked))
    for number in (of_wall, revoked):  # for another file; taken back
        with pytest.raises(CommandError):
            animate(portrait, out, number, *nod)
    for number in ("", str(uuid.uuid4())):
        with pytest.raises(CommandError, match="driving clip has a record of consent too"):
            animate(portrait, out, good, "--affirm", "--driver", str(driver), "--driver-consent", number)
    with pytest.raises(CommandError):
        animate(portrait, out, good, "--affirm", "--driver", str(driver), "--driver-consent", good)  # of the portrait
    with pytest.raises(CommandError):
        animate(portrait, out, good, "--built-in", "nod")  # nothing affirmed
    with pytest.raises(CommandError, match="there are nod"):
        animate(portrait, out, good, "--affirm", "--built-in", "dance")
    with pytest.raises(CommandError, match="No such file"):
        animate(tmp_path / "none.jpg", out, good, *nod)
    with pytest.raises(CommandError, match="no folder"):
        animate(portrait, tmp_path / "none" / "out.mp4", good, *nod)
    with pytest.raises(CommandError):
        animate(portrait, out, good, *nod, "--movement", "9")
    assert not Job.objects.exists()
    assert not Artifact.objects.exists()
    assert not out.exists()


def test_python_m_ml_animate_is_the_same_command(
    ada: User,
    portrait: Path,
    tmp_path: Path,
    worker: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What it hands over is run here, in this process; with an engine that moves nothing, for speed alone."""
    monkeypatch.setattr("ml.animate.animate.run", moving.still_engine)

    def run(words: list[str], **_: Any) -> Any:
        call_command(*words[2:])

        class Done:
            returncode = 0

        return Done

    monkeypatch.setattr(handover.subprocess, "run", run)
    out, number = tmp_path / "out.mp4", stated(ada, portrait)
    line = ["animate", str(portrait), str(out), "--built-in", "nod", "--affirm", "--restore-faces"]
    assert main(line) == 2
    assert "record of consent" in capsys.readouterr().err
    assert not Job.objects.exists()
    assert main([*line, "--consent", number]) == 0
    made = Generation.objects.get()
    assert made.result is not None
    assert out.read_bytes() == factories.content(made.result)
    assert made.job.params["options"]["restore_faces"] is True
    told = moving.signed_weights(out.read_bytes(), "video/mp4")
    assert set(told) == {"motion", "dictionary"}, json.dumps(told)
