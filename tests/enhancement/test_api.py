"""The same for programs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from detection.models import ApiToken
from enhancement.models import Enhancement
from jobs.models import Artifact
from tests.detection.factories import jpeg, requester, upload
from tests.enhancement import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/enhancements"


@pytest.fixture
def program(ada: User) -> Client:
    token = ApiToken.issue(ada, "tests")[1]
    return Client(headers={"Authorization": f"Bearer {token}"})


def test_from_the_upload_to_the_file(ada: User, program: Client) -> None:
    accepted = program.post(
        ROOT,
        {
            "file": upload("small.jpg"),
            "task": "upscale",
            "methods": ["compact", "bicubic"],
            "scale": 4,
            "strength": 0.5,
        },
    )
    assert accepted.status_code == 202, accepted.content
    told = accepted.json()
    assert accepted["Location"] == f"{ROOT}/{told['id']}"
    assert (told["state"], told["results"], told["figures"]) == ("queued", [], None)
    made = Enhancement.objects.get()
    assert (made.owner, made.scale, made.strength) == (ada, 4, 0.5)
    factories.finished(made)
    told = program.get(accepted["Location"]).json()
    assert (told["state"], told["width"], told["generated"], told["parents"]) == ("succeeded", 96, False, [])
    first, second = told["results"]
    assert (first["method"], second["method"]) == ("compact", "bicubic")
    assert first["figures"]["measures"]["psnr"] == 31.25
    assert told["figures"]["detector"] == {
        "level": "inconclusive", "probability": 0.48, "faces": 1, "reason_code": "in_the_band",
    }  # fmt: skip
    file = b"".join(program.get(first["file"].removeprefix("http://testserver")).streaming_content)
    assert hashlib.sha256(file).hexdigest() == first["sha256"]
    assert program.get(f"{ROOT}/{made.pk}/pictures/{made.source_id}").status_code == 404, "never the upload itself"
    assert program.delete(f"{ROOT}/{made.pk}").status_code == 204
    assert not Artifact.objects.exists()


def test_what_can_be_done(client: Client) -> None:
    tasks = client.get("/api/v1/enhancement-methods").json()
    upscale = next(task for task in tasks if task["name"] == "upscale")
    assert upscale["methods"][0]["name"] == "compact"
    assert upscale["methods"][0]["scales"] == [2, 4]
    assert all(task["about"] and task["without_strength"] for task in tasks)


def test_the_list(ada: User, ben: User, program: Client) -> None:
    mine = factories.queued(requester(ada))
    factories.queued(requester(ben))
    page = program.get(ROOT).json()
    assert ([each["id"] for each in page["items"]], page["count"]) == ([str(mine.pk)], 1)
    assert program.get(f"{ROOT}?task=denoise").json()["items"] == []


def test_members_only(client: Client) -> None:
    for answer in (client.get(ROOT), client.post(ROOT, {"file": upload(), "task": "upscale"})):
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "not_signed_in"
    assert not Artifact.objects.exists()


def test_somebody_elses_is_not_there(ada: User, ben: User, program: Client) -> None:
    bens = factories.finished(factories.queued(requester(ben)))
    file = bens.pictures.first().file_id
    for path in (f"{ROOT}/{bens.pk}", f"{ROOT}/{bens.pk}/pictures/{file}"):
        assert program.get(path).status_code == 404
    assert program.delete(f"{ROOT}/{bens.pk}").status_code == 404
    mine = factories.finished(factories.queued(requester(ada)))
    assert program.get(f"{ROOT}/{mine.pk}/pictures/{file}").status_code == 404


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        ({"task": "colourise"}, 400, "unsupported_task"),
        ({"methods": ["magic"]}, 400, "unsupported_method"),
        ({"methods": ["imported:../../secret_key"]}, 400, "unsupported_method"),
        ({"scale": 3}, 400, "unsupported_scale"),
        ({"scale": "large"}, 400, "invalid"),
        ({"strength": 2}, 400, "wrong_strength"),
        ({"strength": "nan"}, 400, "wrong_strength"),
        ({"save_as": ".exe"}, 400, "unsupported_format"),
        ({"file": upload("x.jpg", b"nothing")}, 415, "not_an_image"),
        ({"truth": upload("x.jpg", b"nothing")}, 415, "not_an_image"),
    ],
)
def test_refusals_have_a_code_and_a_sentence(program: Client, told: dict[str, object], status: int, code: str) -> None:
    for each in told.values():
        if hasattr(each, "seek"):
            each.seek(0)
    answer = program.post(ROOT, {"file": upload("a.jpg", jpeg()), "task": "upscale"} | told)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"].endswith(".")
    assert not Artifact.objects.exists()


def test_the_documentation_has_them(client: Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {"post", "get"} <= set(paths[f"{ROOT}"])
    assert f"{ROOT}/{{enhancement_id}}/pictures/{{picture_id}}" in paths
