"""What was made here is known again: by bytes, by mark, by looks; and on the page of a check."""

from __future__ import annotations

import asyncio
import io
import random
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from jobs import kinds, lifecycle, outputs
from jobs.inference import InferenceChild
from jobs.models import Job, MadeOutput
from jobs.outcomes import Finished
from tests.detection import factories
from tests.generation import making as do
from tests.generation.mirror import MIRROR
from tests.live_site import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from django.contrib.auth.models import User
    from django.test import Client
    from numpy.typing import NDArray

    from jobs.outcomes import Outcome


def recorded(perceptual_hash: str = "", sha256: str = "") -> MadeOutput:
    job = Job.objects.create(kind="mirror", owner_key="user:1")
    return outputs.record(
        job, sha256=sha256 or uuid4().hex * 2, perceptual_hash=perceptual_hash, mark=outputs.mark_of(job.pk)
    )


def flipped(perceptual_hash: str, bits: int, seed: int) -> str:
    value = int(perceptual_hash, 16)
    for bit in random.Random(seed).sample(range(64), bits):  # noqa: S311
        value ^= 1 << bit
    return f"{value:016x}"


def test_one_bound_for_looks() -> None:
    from ml.provenance.perceptual_hash import SAME_PICTURE, mirrored

    assert outputs.LOOK_ALIKE == SAME_PICTURE
    for look in ("0" * 16, "c4a81aafc2b86df8"):  # jobs knows nothing of pictures, and has the bits as a number
        assert outputs.mirrored(look) == mirrored(look)


@pytest.mark.django_db
def test_looks_are_found_up_to_the_bound_and_not_beyond() -> None:
    row = recorded("c4a81aafc2b86df8")
    for seed in range(12):
        recorded(f"{random.Random(seed).getrandbits(64):016x}")  # noqa: S311
    for seed in range(40):
        for bits in (0, 1, 5, outputs.LOOK_ALIKE):
            (match,) = outputs.find(perceptual_hash=flipped(row.perceptual_hash, bits, seed))
            assert (match.job, match.by, match.bits) == (row.job_ref, "looks", bits)
        assert outputs.find(perceptual_hash=flipped(row.perceptual_hash, outputs.LOOK_ALIKE + 1, seed)) == []
    (match,) = outputs.find(perceptual_hash=flipped(outputs.mirrored(row.perceptual_hash), 3, 1))
    assert (match.job, match.bits) == (row.job_ref, 3)  # a picture turned around is the same picture
    assert outputs.looks()[:8].hex() == outputs.mirrored(outputs.looks()[8:16].hex())
    for wrong in ("abc", "x" * 16):
        with pytest.raises(ValueError):
            outputs.find(perceptual_hash=wrong)


@pytest.mark.django_db
def test_the_surest_comes_first_and_each_job_once() -> None:
    by_bytes, by_mark, by_looks = recorded(sha256="a" * 64), recorded(), recorded("c4a81aafc2b86df8")
    found = outputs.find("a" * 64, "c4a81aafc2b86df8", by_mark.mark)
    assert [(match.job, match.by) for match in found] == [
        (by_bytes.job_ref, "bytes"),
        (by_mark.job_ref, "mark"),
        (by_looks.job_ref, "looks"),
    ]
    assert outputs.find() == []
    assert outputs.withdraw(by_bytes.job_ref) == 1
    assert outputs.find(sha256="a" * 64)[0].withdrawn


@pytest.mark.django_db
def test_looks_are_looked_up_through_the_indexes() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        list(MadeOutput.objects.looking_like("c4a81aafc2b86df8"))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "sqlite":
            cursor.execute("EXPLAIN QUERY PLAN " + queries[0]["sql"])
            plan = " ".join(str(row) for row in cursor.fetchall())
            assert "SCAN jobs_madeoutput" not in plan.replace("USING INDEX", "")


@pytest.mark.django_db
def test_the_page_of_a_check_says_made_here(
    ada: User, ada_client: Client, astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    generation = do.made(ada, astronaut_jpeg, tmp_path / "work")
    made = factories.content(generation.result)
    check = factories.finished(factories.queued(factories.requester(ada), "again.jpg", made))
    (own,) = check.provenance["own"]
    assert (own["job"], own["by"]) == (str(generation.job_id), "bytes")
    page = ada_client.get(check.get_absolute_url()).content.decode()
    assert "Made on this site" in page
    assert str(generation.job_id) in page
    unknown = factories.finished(factories.queued(factories.requester(ada), "other.jpg"))
    assert "own" not in unknown.provenance


@pytest.mark.django_db
def test_a_copy_without_its_manifest_is_known_by_its_mark_and_its_looks(
    ada: User, astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    """Saved again, smaller, by somebody who took everything off that can be taken off."""
    import numpy as np

    from ml.provenance import invisible_mark
    from ml.provenance.perceptual_hash import perceptual_hash

    generation = do.made(ada, astronaut_jpeg, tmp_path / "work")
    with Image.open(io.BytesIO(factories.content(generation.result))) as image:
        out = io.BytesIO()
        image.convert("RGB").resize((400, 400)).save(out, "JPEG", quality=70)
    with Image.open(io.BytesIO(out.getvalue())) as image:
        pixels: NDArray[np.uint8] = np.asarray(image)
    facts = invisible_mark.facts(pixels)
    assert facts == {"mark": outputs.mark_of(generation.job_id)}
    result = replace(factories.RESULT, provenance=facts, perceptual_hash=perceptual_hash(pixels))
    check = factories.finished(factories.queued(factories.requester(ada), "copy.jpg", out.getvalue()), result)
    (own,) = check.provenance["own"]
    assert (own["job"], own["by"]) == (str(generation.job_id), "mark")
    without = replace(result, provenance={})
    check = factories.finished(factories.queued(factories.requester(ada), "copy.jpg", out.getvalue()), without)
    assert check.provenance["own"][0]["by"] == "looks"


@pytest.mark.django_db
def test_the_real_inference_process_makes_what_is_published(
    ada: User, astronaut_jpeg: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler in a child of its own, without Django in it, its answer over the wire."""
    monkeypatch.setattr(kinds, "served", lambda: (MIRROR,))
    generation = do.submitted(ada, astronaut_jpeg)
    job = do.claimed(generation)
    request = MIRROR.prepare(job, tmp_path)

    async def by_a_child() -> Outcome:
        child = InferenceChild()
        try:
            await child.ready()
            return await child.run(MIRROR, request, lambda *_: None, lambda *_: None)
        finally:
            await child.close()

    outcome = asyncio.run(by_a_child())
    assert isinstance(outcome, Finished), outcome
    assert lifecycle.succeed(job.pk, job.attempt, outcome.result) == "succeeded"
    assert MadeOutput.objects.get().job_id == job.pk


def test_verifying_loads_no_model_library() -> None:
    """docs/adr/0012: what the publishing process may import of ml."""
    program = (
        "import sys, ml.provenance.verification;"
        "print(sorted({'numpy', 'cv2', 'tensorflow', 'keras', 'mediapipe', 'scipy', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
