"""One picture through all of it: consent, job, seal, verification, ledger, a check that knows it, takedown."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import c2pa
import pytest
from django.urls import reverse

from detection import handlers
from detection.kinds import CHECK
from generation import services, texts
from generation.consents import TermsAcceptance
from generation.forms import AffirmationForm, ConsentForm
from generation.ledger import LedgerEntry, faults
from generation.refusals import Refused
from generation.services import Part, Wish
from jobs import kinds, lifecycle
from jobs.models import Artifact
from jobs.outputs import mark_of
from tests.detection import factories
from tests.generation import making as do
from tests.generation.mirror import NAME

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_from_consent_to_takedown(
    ada: User,
    ben: User,
    ada_client: Client,
    client: Client,
    astronaut_jpeg: bytes,
    tmp_path: Path,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    requester = do.requester(ada)
    TermsAcceptance.objects.all().delete()
    with pytest.raises(Refused):
        do.uploaded(ada, astronaut_jpeg)
    agreed = {"version": texts.terms().version, "agreed": "on"}
    assert ada_client.post(reverse("generation:terms"), agreed).status_code == 302

    artifact = do.uploaded(ada, astronaut_jpeg)
    told = {"target-relation": "myself", "target-version": "1", "target-people": "1", "target-agreed": "on"}
    assert not ConsentForm({**told, "target-agreed": ""}, prefix="target").is_valid()
    form = ConsentForm(told, prefix="target")
    assert form.is_valid(), form.errors
    consent = form.save(requester, artifact)
    assert not AffirmationForm({}).is_valid()
    assert "No program has looked" in str(AffirmationForm())
    wish = Wish(NAME, (Part("target", artifact, consent),), affirmed=True, title="Mirrored")
    generation = services.submit_generation(requester, wish)
    job = do.claimed(generation)
    lifecycle.succeed(job.pk, job.attempt, do.run(job, tmp_path / "work"))
    generation.refresh_from_db()

    page = ada_client.get(reverse("generation:result", args=[generation.pk])).content.decode()
    assert generation.result.url in page
    made = factories.content(generation.result)
    anchor = b"".join([client.get(reverse("generation:authority")).content]).decode()
    trust = c2pa.Context.from_dict({"trust": {"trust_anchors": anchor}, "verify": {"verify_trust": True}})
    with c2pa.Reader("image/jpeg", io.BytesIO(made), context=trust) as reader:
        assert reader.get_validation_state() == "Trusted"
        assert str(consent.pk) in reader.json()

    check = factories.queued(factories.requester(ben), "found.jpg", made)
    claimed = factories.claimed(check)
    (tmp_path / "check").mkdir()
    answer = handlers.check(CHECK.prepare(claimed, tmp_path / "check"), lambda *_: None)
    assert answer.provenance["mark"] == mark_of(job.pk)
    assert answer.provenance["says_generated"] is True
    lifecycle.succeed(claimed.pk, claimed.attempt, answer)
    client.force_login(ben)
    page = client.get(check.get_absolute_url()).content.decode()
    assert "Made on this site" in page
    assert str(job.pk) in page

    assert client.post(
        reverse("generation:takedown"),
        {"contact": "shown@example.org", "statement": "That is me.", "address": f"job {job.pk}"},
    ).status_code == 302  # fmt: skip
    admin = factories.administrator()
    client.force_login(admin)
    from generation.models import TakedownPlea

    chosen = {"action": "grant", "_selected_action": [str(TakedownPlea.objects.get().pk)]}
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("admin:generation_takedownplea_changelist"), chosen)
    assert not Artifact.objects.filter(job__in=[job.pk, claimed.pk]).exists()
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]
    with pytest.raises(Refused):
        do.uploaded(ben, made)
    assert [json.loads(line.body)["event"] for line in LedgerEntry.objects.all()] == ["made", "withdrawn", "taken_down"]
    assert list(faults()) == []
    assert kinds.get(NAME).result_url(job) == reverse("generation:result", args=[generation.pk])
