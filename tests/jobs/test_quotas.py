"""Shares and caps: the answers, and that many at once cannot get past them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.db import connections

from jobs import lifecycle, quotas
from jobs.errors import QuotaExceeded
from jobs.models import Artifact, Job
from jobs.requester import Requester, address_hash, client_address

from .conftest import submit, visitor

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@pytest.mark.django_db
def test_a_visitor_may_have_twelve_waiting_and_a_member_forty(django_user_model: type[User]) -> None:
    member = Requester(user=django_user_model.objects.create_user("m", "m@example.org", "pw"), session_key=None)
    for requester, limit in ((visitor(), 12), (member, 40)):
        for _ in range(limit):
            lifecycle.submit("test", requester)
        with pytest.raises(QuotaExceeded) as refused:
            lifecycle.submit("test", requester)
        assert refused.value.status == 429
        assert 5 <= refused.value.retry_after <= 600
        assert str(limit) in refused.value.message
    assert submit("visitor-b").state == "queued"


@pytest.mark.django_db
def test_a_running_job_leaves_its_place_in_the_queue(settings: Any) -> None:
    settings.JOBS_WAITING_VISITOR = 1
    submit()
    with pytest.raises(QuotaExceeded):
        submit()
    assert lifecycle.claim("w", ["test"]) is not None
    submit()


@pytest.mark.django_db
def test_visitors_of_one_address_share_a_cap(settings: Any) -> None:
    settings.JOBS_PER_ADDRESS = 3
    for number in range(3):
        lifecycle.submit("test", visitor(f"v{number}", "address-1"))
    with pytest.raises(QuotaExceeded) as refused:
        lifecycle.submit("test", visitor("v9", "address-1"))
    assert refused.value.status == 429
    lifecycle.submit("test", visitor("v9", "address-2"))


@pytest.mark.django_db
def test_a_full_site_answers_503(settings: Any) -> None:
    settings.JOBS_GLOBAL_CAP = 2
    submit("v1")
    submit("v2")
    lifecycle.submit_system("purge")  # the site's own work counts against nobody
    with pytest.raises(QuotaExceeded) as refused:
        submit("v3")
    assert refused.value.status == 503
    assert refused.value.retry_after >= 10


@pytest.mark.django_db(transaction=True)
def test_a_refused_upload_is_thrown_away(settings: Any) -> None:
    settings.JOBS_GLOBAL_CAP = 0
    artifact = Artifact(role="original", sha256="0" * 64, content_type="image/png", size=3, session_key="visitor-a")
    artifact.file.save("original.png", ContentFile(b"abc"), save=False)
    artifact.save()
    name = str(artifact.file.name)
    with pytest.raises(QuotaExceeded):
        lifecycle.submit("test", visitor(), [artifact])
    assert not Artifact.objects.exists()
    assert not artifact.file.storage.exists(name)


@pytest.mark.django_db(transaction=True)
def test_many_submits_at_once_do_not_get_past_the_caps(settings: Any) -> None:
    settings.JOBS_GLOBAL_CAP = 30
    start = threading.Barrier(16)

    def hammer(number: int) -> list[str]:
        start.wait()
        answers = []
        try:
            for _ in range(4):
                try:
                    submit(f"visitor-{number}")
                    answers.append("queued")
                except QuotaExceeded as refused:
                    answers.append(str(refused.status))
        finally:
            connections.close_all()
        return answers

    with ThreadPoolExecutor(16) as pool:
        answers = [answer for some in pool.map(hammer, range(16)) for answer in some]
    assert len(answers) == 64
    assert answers.count("queued") == Job.objects.count() == 30
    assert answers.count("503") == 34


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_once_get_each_job_once_and_keep_the_shares() -> None:
    for number in range(10):
        submit(f"visitor-{number % 5}")
    start = threading.Barrier(8)

    def claim(number: int) -> list[str]:
        start.wait()
        got = []
        try:
            while (job := lifecycle.claim(f"worker-{number}", ["test"])) is not None:
                got.append(str(job.owner_key))
        finally:
            connections.close_all()
        return got

    with ThreadPoolExecutor(8) as pool:
        owners = [owner for some in pool.map(claim, range(8)) for owner in some]
    assert sorted(owners) == [f"session:visitor-{number}" for number in range(5)]
    assert set(Job.objects.filter(state="running").values_list("attempt", flat=True)) == {1}


@pytest.mark.django_db
def test_retry_after_follows_what_jobs_take(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.JOBS_GLOBAL_CAP = 0
    monkeypatch.setattr("jobs.estimates.median_seconds", lambda kind: 100.0)
    with pytest.raises(QuotaExceeded) as refused:
        quotas.check(visitor(), "test")
    assert 100 <= refused.value.retry_after <= 104


def test_addresses_are_counted_by_customer_and_kept_as_hashes() -> None:
    assert address_hash("192.0.2.1") != address_hash("192.0.2.2")
    assert address_hash("2001:db8::1") == address_hash("2001:db8::ffff")
    assert address_hash("2001:db8::1") != address_hash("2001:db8:0:1::1")
    assert address_hash("::ffff:192.0.2.1") == address_hash("192.0.2.1")
    assert address_hash("not an address") == ""
    assert "192" not in address_hash("192.0.2.1")


@pytest.mark.parametrize(
    ("trusted", "forwarded", "seen"),
    [
        (0, "198.51.100.7", "127.0.0.1"),  # anybody can write this header
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9, 198.51.100.7", "198.51.100.7"),  # the left part came from the client
        (2, "203.0.113.9, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "198.51.100.7", "127.0.0.1"),
    ],
)
def test_the_address_behind_trusted_proxies(settings: Any, trusted: int, forwarded: str, seen: str) -> None:
    settings.JOBS_TRUSTED_PROXIES = trusted
    assert client_address({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}) == seen
