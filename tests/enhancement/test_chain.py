"""From a piece of work, through its enhancement, to the takedown: what goes, what stays, and what the ledger says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generation import ledger, withdrawal
from generation import services as making
from jobs.models import Artifact
from ml.provenance.plan import Work
from tests.detection.factories import requester
from tests.enhancement import factories
from tests.generation import making as do
from tests.generation.conftest import house, maker  # noqa: F401 - the fixture that registers the test kind

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User

    from enhancement.models import Enhancement
    from generation.models import Generation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


@pytest.fixture
def ada(db: None) -> User:
    return maker("ada@example.org")


@pytest.fixture
def work(ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> Generation:
    """Something made here, with consent, band, mark and manifest."""
    return do.made(ada, astronaut_jpeg, tmp_path / "work")


def enhanced(user: User, work: Generation, **changes: Any) -> Enhancement:
    """The very file that was made, enhanced by somebody who has it."""
    data = factories.content(work.result)
    made = factories.queued(requester(user), data=data)
    return factories.finished(made, factories.answer(made, Work.RESTORATION, **changes))


def test_the_enhancement_names_what_it_was_made_of(ada: User, ben: User, work: Generation) -> None:
    made = enhanced(ben, work)
    assert [(parent.job_ref, parent.by) for parent in made.parents.all()] == [(work.job_id, "bytes")]
    assert made.generated
    lines = [line.facts for line in ledger.LedgerEntry.objects.filter(event__in=("made", "enhanced"))]
    assert [line["event"] for line in lines] == ["made", "enhanced"]
    assert lines[1]["parents"] == [str(work.job_id)]
    assert lines[1]["inputs"]["target"] in lines[0]["outputs"].values()
    assert list(ledger.faults()) == []


@pytest.mark.parametrize("how", ["takedown", "consent"])
def test_it_goes_with_what_it_was_made_of(ada: User, ben: User, work: Generation, how: str) -> None:
    made = enhanced(ben, work)
    if how == "takedown":
        assert withdrawal.take_down(work.job_id)
    else:
        making.revoke_consent(work.consent)
    made.refresh_from_db()
    assert made.withdrawn is not None
    assert not Artifact.objects.filter(job=made.job).exists()


def test_it_stays_where_the_owner_merely_tidies_up(ada: User, work: Generation) -> None:
    made = enhanced(ada, work)
    making.delete_own(work)
    made.refresh_from_db()
    assert made.withdrawn is None
    assert Artifact.objects.filter(job=made.job).exists()


def test_what_is_being_made_of_it_is_stopped(ada: User, ben: User, work: Generation) -> None:
    """The file itself is on the list by then, whoever brings it."""
    data = factories.content(work.result)
    waiting = factories.queued(requester(ben), data=data)
    job = factories.claimed(waiting)
    withdrawal.take_down(work.job_id)
    assert not Artifact.objects.filter(job=job).exists(), "a copy of what was taken down"
    with pytest.raises(Exception, match="taken down"):
        factories.queued(requester(ben), data=data)
