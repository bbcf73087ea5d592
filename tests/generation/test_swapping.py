"""Swaps through every safeguard: a picture, a clip, a person who is learned, and what stops them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import c2pa
import pytest
from django.urls import reverse
from PIL import Image

from generation import identities, learned, services
from generation.exchange import SealedOutput
from generation.ledger import LedgerEntry
from generation.models import Generation
from generation.refusals import Reason, Refused
from jobs import kinds, lifecycle, midway, workdirs
from jobs.errors import PersonError
from jobs.models import Artifact, MadeOutput
from jobs.outcomes import Shown
from jobs.sealed import Unsealed
from tests import clips
from tests.detection import factories
from tests.generation import making as do
from tests.generation import swaps
from tests.generation.people import NAME, SLUG, make_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.contrib.auth.models import User
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_catalog(tmp_path_factory.mktemp("people"))


@pytest.fixture(autouse=True)
def people(catalog: Path, settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.GENERATION_PEOPLE = catalog
    settings.JOBS_WORK_DIR = tmp_path / "work"
    assert identities.register_catalog(catalog) == 1
    yield
    identities.unregister(SLUG)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lessons on a network of few channels: what is tested is what surrounds them."""
    from generation.handlers import lessons
    from ml.networks.swap.swap_config import Family, SwapConfig
    from ml.swap import learn

    monkeypatch.setattr(learn, "TURNED", 12)
    monkeypatch.setattr(lessons, "shape", lambda: SwapConfig(Family.DF, 32, 4, 8, 4, mask=2))


@pytest.fixture(scope="module")
def clip() -> bytes:
    return clips.encoded(clips.astronaut_frames(26, height=300, width=320, side=300, drift=16))


def state_of(data: bytes, content_type: str, client: Client) -> str:
    anchor = client.get(reverse("generation:authority")).content.decode()
    trust = c2pa.Context.from_dict({"trust": {"trust_anchors": anchor}, "verify": {"verify_trust": True}})
    with c2pa.Reader(content_type, io.BytesIO(data), context=trust) as reader:
        return str(reader.get_validation_state())


def test_a_picture_with_a_built_in_person(ada: User, ada_client: Client, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    generation = swaps.made(ada, tmp_path / "attempt", astronaut_jpeg, colour="none", feather=0.1)
    assert generation.result is not None
    assert (generation.result.content_type, generation.result.width, generation.result.height) == (
        "image/jpeg",
        512,
        512,
    )
    assert state_of(factories.content(generation.result), "image/jpeg", ada_client) == "Trusted"
    files = {each.role: each for each in Artifact.objects.filter(job=generation.job)}
    assert set(files) == {"original", "result", "before"}  # 512 pixels are poster enough
    with Image.open(io.BytesIO(factories.content(files["before"]))) as before:
        assert before.size == (512, 512)
        assert not before.getexif()
    score = generation.facts["score"]
    assert set(score) == {"before", "after"}
    for side in score.values():
        assert (side["judged"], side["looked_at"]) == (1, 1)
        assert 0 <= side["probability"] <= 1
        assert {"boundary", "meso4"} <= set(side["detectors"])
    assert score["before"]["probability"] != score["after"]["probability"]
    line = LedgerEntry.objects.get(event="made").facts
    assert line["inputs"]["source"] == f"identity:{SLUG}"
    assert list(line["weights"]) == [f"person {SLUG}"]
    (seen,) = generation.inputs.exclude(perceptual_hash="").values_list("role", flat=True)
    assert seen == "target"


def test_a_clip_keeps_its_length_and_has_a_frame_to_compare(
    ada: User, ada_client: Client, clip: bytes, tmp_path: Path
) -> None:
    import av

    generation = swaps.made(ada, tmp_path / "attempt", clip, "clip.mp4")
    assert generation.is_video
    data = factories.content(generation.result)
    assert state_of(data, "video/mp4", ada_client) == "Trusted"
    with av.open(io.BytesIO(data)) as made:
        assert sum(1 for _ in made.decode(video=0)) == 26
        assert made.streams.video[0].codec_context.name == "h264"
    files = {each.role: each for each in Artifact.objects.filter(job=generation.job)}
    assert set(files) == {"original", "result", "frame", "poster", "before"}
    assert state_of(factories.content(files["frame"]), "image/jpeg", ada_client) == "Trusted"
    assert (generation.facts["frames"], generation.facts["swapped"]) == (26, 26)
    assert generation.facts["score"]["after"]["looked_at"] == 6


def test_a_learned_person_is_kept_and_serves_again_until_the_consent_goes(
    ada: User, ben: User, clip: bytes, astronaut_jpeg: bytes, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    shown: list[Any] = []

    class Report:
        enough = False

        def __call__(self, stage: str, done: int, total: int) -> None:
            shown.append(stage)

        def show(self, picture: bytes = b"", content_type: str = "", size: Any = (0, 0), facts: Any = None) -> None:
            shown.append(SealedOutput(picture, content_type, "", *size) if picture else facts)

    generation = swaps.submitted(ada, astronaut_jpeg, source=clip, steps=2, person="Ann")
    job = swaps.claimed(generation)
    result = swaps.run(job, tmp_path / "attempt", Report())
    previews = [each for each in shown if isinstance(each, SealedOutput)]
    assert midway.keep(
        job, Shown(previews[-1].data, previews[-1].content_type, previews[-1].width, previews[-1].height)
    )
    with pytest.raises(Unsealed):  # an unsealed preview is not kept
        midway.keep(job, Shown(astronaut_jpeg, "image/jpeg", 512, 512))
    told = [each for each in shown if isinstance(each, dict)]
    assert told[-1]["history"][-1][0] == 2
    assert list(dict.fromkeys(each for each in shown if isinstance(each, str))) == [
        "people", "extract", "train", "decode", "faces", "swap", "judge",
    ]  # fmt: skip
    work = workdirs.lasting(job)
    assert (work / "person.identity").is_file()
    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.succeed(job.pk, job.attempt, result)
    assert not work.exists()
    generation.refresh_from_db()
    made = set(Artifact.objects.filter(job=job).values_list("role", flat=True))
    assert made == {"original", "result", "before", "preview", "lesson", "learned"}
    assert generation.facts["person"] == "Ann"
    assert generation.facts["faces"] == 26
    (face,) = learned.of(ada)
    assert (face.name, face.generation) == ("Ann", generation.pk)
    assert learned.find(ben, face.identity) is None
    assert learned.of(ben) == []

    again = swaps.made(ada, tmp_path / "again", astronaut_jpeg, identity=face.identity)
    assert again.result is not None
    assert again.inputs.get(role="source").consent == swaps.consent_of(generation, "source")
    with pytest.raises(Refused) as refused:
        swaps.submitted(ben, astronaut_jpeg, identity=face.identity)
    assert refused.value.reason is Reason.UNKNOWN_IDENTITY

    services.revoke_consent(swaps.consent_of(generation, "source"))
    assert learned.of(ada) == []
    assert not Artifact.objects.filter(job__in=[generation.job_id, again.job_id]).exists()
    with pytest.raises(Refused):
        swaps.submitted(ada, astronaut_jpeg, identity=face.identity)


def test_what_was_learned_is_taken_up_by_the_next_attempt(ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    """Stopped in the middle of learning, and once more in the middle of painting."""

    class Stopped(BaseException):
        pass

    generation = swaps.submitted(ada, astronaut_jpeg, source=astronaut_jpeg, steps=3)
    job = swaps.claimed(generation)
    steps: list[tuple[str, int]] = []

    def until(stage: str, at: int) -> Any:
        def report(now: str, done: int, total: int) -> None:
            steps.append((now, done))
            if (now, done) == (stage, at):
                raise Stopped

        return report

    with pytest.raises(Stopped):
        swaps.run(job, tmp_path / "one", until("train", 2))
    assert not MadeOutput.objects.exists()
    steps.clear()
    with pytest.raises(Stopped):
        swaps.run(job, tmp_path / "two", until("swap", 0))
    assert [done for stage, done in steps if stage == "train"] == [2, 3]
    steps.clear()
    result = swaps.run(job, tmp_path / "three", until("never", 0))
    assert not [stage for stage, _ in steps if stage in ("extract", "train")]
    lifecycle.succeed(job.pk, job.attempt, result)
    assert Artifact.objects.filter(job=job, role="result").count() == 1


@pytest.mark.parametrize(
    "what", ["no face", "two people", "no file", "no person", "settings", "playlist", "ten minutes"]
)
def test_clear_sentences_and_nothing_half_published(
    what: str, ada: User, astronaut_jpeg: bytes, faceless_jpeg: bytes, clip: bytes, tmp_path: Path
) -> None:
    expected = {
        "no face": ("no_face", "No face was found"),
        "two people": ("more_people_than_consents", "more people than consent"),
        "settings": ("settings", "not known here"),
        "playlist": ("not_a_video", "playlist"),
        "ten minutes": ("too_long", "at most 60 seconds"),
        "no file": ("no_file", "needed"),
        "no person": ("no_person", "Choose a built-in person"),
    }
    code, words = expected[what]
    with pytest.raises(PersonError) as refused:
        if what == "playlist":
            swaps.uploaded(ada, b"ffconcat version 1.0\nfile neighbour.mp4\n", "clip.mp4")
        elif what == "ten minutes":
            swaps.uploaded(ada, clips.with_length(clip, 600), "clip.mp4")
        elif what in ("no file", "no person"):  # by a call of the services: the pages offer neither
            there, again = swaps.uploaded(ada, astronaut_jpeg), swaps.uploaded(ada, faceless_jpeg)
            source = services.Part("source", again, do.consented(ada, again))
            target = services.Part("target", there, do.consented(ada, there))
            built_in = services.Part("target", identity=SLUG)
            kind, parts = ("swap_own", (source, built_in)) if what == "no file" else ("swap", (source, target))
            wish = services.Wish(kind, parts, affirmed=True)
            generation = services.submit_generation(do.requester(ada), wish)
            swaps.run(swaps.claimed(generation), tmp_path / "attempt")
        else:
            shown = {"no face": faceless_jpeg, "two people": side_by_side(astronaut_jpeg)}.get(what, astronaut_jpeg)
            options = {"blend": "magic"} if what == "settings" else {}
            swaps.made(ada, tmp_path / "attempt", shown, **options)
    assert refused.value.code == code
    assert words in refused.value.message
    assert not MadeOutput.objects.exists()
    assert not Artifact.objects.exclude(role="original").exists()


def side_by_side(jpeg: bytes) -> bytes:
    with Image.open(io.BytesIO(jpeg)) as one:
        both = Image.new("RGB", (2 * one.width, one.height))
        both.paste(one, (0, 0))
        both.paste(one, (one.width, 0))
    buffer = io.BytesIO()
    both.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def test_a_consent_withdrawn_while_it_runs(ada: User, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    generation = swaps.submitted(ada, astronaut_jpeg)
    job = swaps.claimed(generation)
    result = swaps.run(job, tmp_path / "attempt")
    services.revoke_consent(swaps.consent_of(generation, "target"))
    preview = result.outputs[0]
    assert not midway.keep(job, Shown(preview.data, preview.content_type, preview.width, preview.height))
    lifecycle.succeed(job.pk, job.attempt, result)
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert not MadeOutput.objects.exists()
    assert not Artifact.objects.filter(job=job).exists()
    assert Generation.objects.get().withdrawn_for == Reason.CONSENT_WITHDRAWN


def test_kinds_bring_the_safeguards_along() -> None:
    for name in ("swap", "swap_clip", "swap_own"):
        kind = kinds.get(name)
        assert kind.vet is not None
        assert kind.admit is not None
    assert kinds.get("swap_own").long
    assert kinds.get("swap_clip").long
    assert kinds.get("swap_own").may_finish_early
    assert not kinds.get("swap").long


def test_a_catalogue_that_cannot_be_read_costs_only_the_people(tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    for text in ("", "{", "7", '{"a": 1}', '["x"]'):
        path.write_text(text, encoding="utf-8")
        assert identities.register_catalog(path) == 0
    assert identities.find(SLUG).name == NAME
