"""The command line swaps behind the same gate: no record of consent, no job; and what comes out is sealed."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from generation import identities
from generation.models import Consent, Generation
from jobs import lifecycle
from jobs.models import Artifact, Job
from ml import handover
from ml.swap import command
from tests.detection import factories
from tests.generation import making as do
from tests.generation import swaps
from tests.generation.people import SLUG, make_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_catalog(tmp_path_factory.mktemp("people"))


@pytest.fixture(autouse=True)
def people(catalog: Path, settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.GENERATION_PEOPLE = catalog
    settings.JOBS_WORK_DIR = tmp_path / "work"
    identities.register_catalog(catalog)
    yield
    identities.unregister(SLUG)


@pytest.fixture
def target(tmp_path: Path, astronaut_jpeg: bytes) -> Path:
    path = tmp_path / "target.jpg"
    path.write_bytes(astronaut_jpeg)
    return path


def stated(user: User, data: bytes, **more: Any) -> Consent:
    """A record of the user's, as the page makes one for a file."""
    artifact = swaps.uploaded(user, data)
    consent = do.consented(user, artifact, **more)
    artifact.delete()
    return consent


def swap(target: Path, out: Path, consent: Any, *more: str, person: str = SLUG) -> None:
    call_command("swap", str(target), str(out), "--person", person, "--consent", str(consent), *more)


def test_a_swap_comes_back_sealed(
    ada: User, target: Path, astronaut_jpeg: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = stated(ada, astronaut_jpeg)

    def work(_: float) -> None:
        job = lifecycle.claim("tests", ["swap"])
        assert job is not None
        lifecycle.succeed(job.pk, job.attempt, swaps.run(job, tmp_path / "attempt"))

    monkeypatch.setattr("generation.management.making.time.sleep", work)
    swap(target, tmp_path / "out.jpg", consent.pk, "--affirm", "--colour", "none")
    generation = Generation.objects.get()
    assert generation.result is not None
    assert (tmp_path / "out.jpg").read_bytes() == factories.content(generation.result)
    assert (generation.owner, generation.consent) == (ada, consent)
    assert b"c2pa" in (tmp_path / "out.jpg").read_bytes()


def test_without_a_record_that_holds_there_is_no_job(
    ada: User, ben: User, target: Path, astronaut_jpeg: bytes, faceless_jpeg: bytes, tmp_path: Path
) -> None:
    out = tmp_path / "out.jpg"
    for number in ("", "yes", uuid.uuid4()):
        with pytest.raises(CommandError, match="without a record of consent"):
            swap(target, out, number, "--affirm")
    other = stated(ada, faceless_jpeg)
    with pytest.raises(CommandError):
        swap(target, out, other.pk, "--affirm")  # for another file
    revoked = stated(ada, astronaut_jpeg)
    revoked.revoked = timezone.now()
    revoked.save(update_fields=["revoked"])
    with pytest.raises(CommandError):
        swap(target, out, revoked.pk, "--affirm")
    good = stated(ada, astronaut_jpeg)
    with pytest.raises(CommandError):
        swap(target, out, good.pk)  # nothing affirmed
    with pytest.raises(CommandError, match="known are"):
        swap(target, out, good.pk, "--affirm", person="somebody-else")
    ben.user_permissions.clear()
    ben.groups.clear()
    with pytest.raises(CommandError):
        swap(target, out, stated_without_gate(ben, good).pk, "--affirm")
    assert not Job.objects.exists()
    assert not Artifact.objects.exists()
    assert not out.exists()


def stated_without_gate(user: User, like: Consent) -> Consent:
    """A row as somebody with the database at hand may write one."""
    return Consent.objects.create(
        owner=user, relation=like.relation, version=like.version, text=like.text, sha256=like.sha256
    )


def test_what_waits_too_long_is_said(ada: User, target: Path, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    consent = stated(ada, astronaut_jpeg)
    with pytest.raises(CommandError, match="is a worker running"):
        swap(target, tmp_path / "out.jpg", consent.pk, "--affirm", "--timeout", "0")
    with pytest.raises(CommandError, match="no folder"):
        swap(target, tmp_path / "none" / "out.jpg", consent.pk, "--affirm")


def test_python_m_ml_swap_hands_over(target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[list[str]] = []

    def run(words: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        handed.append(words)
        return subprocess.CompletedProcess(words, 3)

    monkeypatch.setattr(handover.subprocess, "run", run)
    words = [str(target), str(tmp_path / "out.jpg"), "--person", SLUG]
    assert command.main(words) == 2
    assert command.main([*words, "--consent", "yes"]) == 2
    assert handed == []
    number = str(uuid.uuid4())
    assert command.main([*words, "--consent", number, "--affirm", "--mask", "both"]) == 3
    (line,) = handed
    assert line[:3] == [sys.executable, str(Path(command.__file__).parents[2] / "manage.py"), "swap"]
    assert Path(line[1]).is_file()
    assert line[line.index("--consent") + 1] == number
    assert {"--affirm", "--mask", "both"} <= set(line)
