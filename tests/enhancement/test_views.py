"""The pages: the form, one piece of work, one's own list."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from enhancement import services
from enhancement.figures import TIMES
from enhancement.models import Enhancement, Parent
from enhancement.wishes import Wish
from jobs import lifecycle
from jobs.models import Artifact, Job
from ml.provenance.plan import Work
from tests.detection.factories import jpeg, requester, upload
from tests.enhancement import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def sent(client: Client, address: str = "/enhance/", *, headers: dict[str, str] | None = None, **told: Any) -> Response:
    data = {"picture": upload(), "task": "upscale", "methods": ["upscale/compact"], "scale_upscale": "2"} | told
    return client.post(address, {name: value for name, value in data.items() if value is not None}, headers=headers)


def text(response: Response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


class TestForm:
    def test_visitors_are_told_what_there_is_and_led_to_sign_in(self, client: Client) -> None:
        page = client.get("/enhance/")
        assert page.status_code == 200
        assert "Take out noise" in text(page)
        assert "?next=/enhance/" in text(page)
        assert '<form class="wish"' not in text(page)
        answer = sent(client)
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=%2Fenhance%2F")
        assert sent(client, headers=JSON).status_code == 401
        assert not Artifact.objects.exists()

    def test_every_method_stands_on_it_with_what_it_does(self, ada_client: Client) -> None:
        page = text(ada_client.get("/enhance/"))
        for words in ("Compact upscaler, trained here", "What every image program does", "Non-local means", "unsharp"):
            assert words in page
        assert 'value="upscale/compact" checked' in page

    def test_a_wish_is_queued(self, ada_client: Client) -> None:
        answer = sent(
            ada_client, methods=["upscale/compact", "upscale/lanczos", "denoise/nlmeans"], scale_upscale="4",
            own_strength="1", strength="30", file_format=".webp",
        )  # fmt: skip
        made = Enhancement.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, made.get_absolute_url())
        # What is chosen for another task is not looked at.
        assert (made.methods, made.scale, made.strength, made.file_format) == (["compact", "lanczos"], 4, 0.3, ".webp")

    def test_scripts_hear_the_address(self, ada_client: Client) -> None:
        answer = sent(ada_client, headers=JSON)
        assert answer.status_code == 202
        assert answer.json()["url"] == Enhancement.objects.get().get_absolute_url()

    @pytest.mark.parametrize(
        ("told", "status", "words"),
        [
            ({"picture": None}, 400, "Choose a picture first."),
            ({"picture": upload("x.jpg", b"")}, 400, "This file is empty."),
            ({"picture": upload("x.jpg", b"GIF89a" + b"\0" * 40)}, 415, "GIF"),
            ({"task": "colourise"}, 400, "not one of the available choices"),
            ({"methods": ["upscale/restorer"]}, 400, "not one of the available choices"),
            ({"scale_upscale": "3"}, 400, "enlarges by 2, 4, not by 3"),
            ({"scale_upscale": "7"}, 400, "not one of the available choices"),
            ({"own_strength": "1", "strength": "101"}, 400, "less than or equal to 100"),
            ({"own_strength": "1", "strength": ""}, 400, "Say how strongly"),
            ({"truth": upload("truth.jpg", b"no picture")}, 415, "not a picture"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_lost(
        self, ada_client: Client, told: dict[str, Any], status: int, words: str
    ) -> None:
        for each in told.values():
            if hasattr(each, "seek"):
                each.seek(0)
        answer = sent(ada_client, **{"task": "upscale", "methods": ["upscale/compact", "upscale/lanczos"]} | told)
        assert answer.status_code == status
        assert words in text(answer)
        assert not Job.objects.exists()
        assert not Artifact.objects.exists()
        if "task" not in told and "methods" not in told:
            assert 'value="upscale/lanczos" checked' in text(answer)

    def test_scripts_hear_what_is_wrong(self, ada_client: Client) -> None:
        answer = sent(ada_client, headers=JSON, scale_upscale="3")
        assert answer.status_code == 400
        assert answer.json()["errors"] == [
            {"field": "scale_upscale", "message": "“Compact upscaler, trained here” enlarges by 2, 4, not by 3."}
        ]

    def test_a_full_queue_says_when_to_come_back(self, ada: User, ada_client: Client, settings: Any) -> None:
        settings.JOBS_WAITING_MEMBER = 1
        factories.queued(requester(ada))
        answer = sent(ada_client)
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0


class TestResult:
    def test_while_it_waits(self, ada: User, ada_client: Client) -> None:
        made = factories.queued(requester(ada))
        page = ada_client.get(made.get_absolute_url())
        assert f'data-socket="/ws/jobs/{made.job_id}/"' in text(page)
        assert f'action="/jobs/{made.job_id}/cancel"' in text(page)
        assert '<meta http-equiv="refresh"' in text(page)
        cancelled = ada_client.post(f"/jobs/{made.job_id}/cancel", headers={"Accept": "text/html"})
        assert cancelled["Location"] == made.get_absolute_url()
        assert "You cancelled this" in text(ada_client.get(made.get_absolute_url()))

    def test_the_result_with_its_numbers(self, ada: User, ada_client: Client) -> None:
        made = factories.finished(factories.queued(requester(ada)))
        page = text(ada_client.get(made.get_absolute_url()))
        first, second = made.pictures.order_by("index")
        for words in ("data-compare", "data-loupe", "31.25 dB", "0.9000", "6 %", "48 %", f"192 {TIMES} 128", "CMYK"):
            assert words in page, words
        assert f'src="{first.file.url}"' in page
        assert f'href="{second.file.url}?download"' in page
        assert f'src="{made.before_picture.url}"' in page
        assert "a picture enhanced by an algorithm" in page
        assert "Made of something generated" not in page

    def test_another_result_under_the_slider(self, ada: User, ada_client: Client) -> None:
        made = factories.finished(factories.queued(requester(ada)))
        second = made.pictures.get(index=1)
        assert ada_client.get(f"{made.get_absolute_url()}?show=2").context["chosen"] == second
        for nonsense in ("0", "9", "x", ""):
            assert ada_client.get(f"{made.get_absolute_url()}?show={nonsense}").context["chosen"].index == 0

    def test_something_generated_says_so_on_its_page(self, ada: User, ada_client: Client) -> None:
        first = factories.queued(requester(ada))
        made = factories.finished(first, factories.answer(first, Work.RESTORATION))
        Parent.objects.create(enhancement=made, job_ref=made.job_id, kind="swap", by="looks", made=made.created)
        page = text(ada_client.get(made.get_absolute_url()))
        assert "It was made of something generated" in page
        assert "It looks like something made on this site." in page
        assert "edited with generative AI" in page

    def test_the_files_are_what_was_signed(self, ada: User, ada_client: Client, ben_client: Client) -> None:
        made = factories.finished(factories.queued(requester(ada)))
        file = made.pictures.first().file
        answer = ada_client.get(f"{file.url}?download")
        assert b"".join(answer.streaming_content) == factories.content(file)
        assert answer["Content-Disposition"].startswith("attachment")
        assert ben_client.get(file.url).status_code == 404
        assert ada_client.get(made.source.url).status_code == 404, "the upload itself is for staff"

    def test_a_failure_offers_another_try(self, ada: User, ada_client: Client) -> None:
        made = factories.failed(factories.queued(requester(ada)), message="No face was found in this picture.")
        page = text(ada_client.get(made.get_absolute_url()))
        assert "No face was found in this picture." in page
        assert reverse("enhancement:again", args=[made.pk]) in page

    def test_taken_down(self, ada: User, ada_client: Client) -> None:
        made = factories.finished(factories.queued(requester(ada)))
        services.take_back(made, block=True)
        page = ada_client.get(made.get_absolute_url())
        assert page.status_code == 200
        assert "This was taken down" in text(page)
        assert ada_client.get(reverse("enhancement:again", args=[made.pk])).status_code == 404
        assert ada_client.get(reverse("enhancement:download", args=[made.pk])).status_code == 404
        assert ada_client.get(reverse("enhancement:history")).status_code == 200

    def test_files_that_are_gone(self, ada: User, ada_client: Client) -> None:
        made = factories.finished(factories.queued(requester(ada)))
        Artifact.objects.filter(job=made.job).delete()
        assert "The files of this are gone." in text(ada_client.get(made.get_absolute_url()))


class TestAgain:
    def test_the_form_comes_with_the_settings(self, ada: User, ada_client: Client) -> None:
        made = factories.queued(requester(ada), Wish("denoise", ("nlmeans",), None, 0.4, ".png"))
        page = text(ada_client.get(reverse("enhancement:again", args=[made.pk])))
        assert 'value="denoise" checked' in page
        assert 'value="denoise/nlmeans" checked' in page
        assert 'value="denoise/restorer" checked' not in page
        assert 'name="strength" min="0" max="100" step="1" value="40"' in page
        assert 'value=".png" selected' in page
        assert 'name="picture"' not in page

    def test_without_another_upload(self, ada: User, ada_client: Client) -> None:
        made = factories.queued(requester(ada))
        answer = sent(
            ada_client, reverse("enhancement:again", args=[made.pk]), picture=None, task="deblur",
            methods=["deblur/unsharp"],
        )  # fmt: skip
        second = Enhancement.objects.exclude(pk=made.pk).get()
        assert answer["Location"] == second.get_absolute_url()
        assert (second.task, second.methods) == ("deblur", ["unsharp"])
        assert second.source.sha256 == made.source.sha256


class TestHistory:
    @pytest.fixture
    def several(self, ada: User) -> dict[str, Enhancement]:
        return {
            "ready": factories.finished(factories.queued(requester(ada), name="cat.jpg")),
            "failed": factories.failed(factories.queued(requester(ada), Wish("deblur", ("restorer",)), "old.jpg")),
            "waiting": factories.queued(requester(ada), Wish("denoise", ("restorer",)), "dog.jpg"),
        }

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", {"ready", "waiting", "failed"}),
            ("task=denoise", {"waiting"}),
            ("method=restorer", {"waiting", "failed"}),
            ("method=bicubic", {"ready"}),
            ("state=ready", {"ready"}),
            ("state=working", {"waiting"}),
            ("state=ended", {"failed"}),
            ("q=CAT", {"ready"}),
            ("q=nothing+like+it", set()),
            ("task=x&method=y&state=z&sort=w&page=99", {"ready", "waiting", "failed"}),
        ],
    )
    def test_filters(self, ada_client: Client, several: dict[str, Enhancement], query: str, found: set[str]) -> None:
        page = ada_client.get(f"/enhance/history/?{query}")
        assert set(page.context["page_obj"]) == {several[name] for name in found}
        if not found:
            assert "Nothing of yours is like that." in text(page)

    def test_empty(self, ada_client: Client) -> None:
        assert "You have not enhanced anything yet." in text(ada_client.get("/enhance/history/"))

    def test_orders(self, ada_client: Client, several: dict[str, Enhancement]) -> None:
        def titles(sort: str) -> list[str]:
            page = ada_client.get(f"/enhance/history/?sort={sort}")
            return [each.title for each in page.context["page_obj"]]

        assert titles("title") == ["cat.jpg", "dog.jpg", "old.jpg"]
        assert titles("oldest") == list(reversed(titles("newest")))

    def test_the_number_of_queries_does_not_grow(
        self, ada: User, ada_client: Client, django_assert_max_num_queries: Any, settings: Any
    ) -> None:
        settings.JOBS_WAITING_MEMBER = 100
        for _ in range(2):
            factories.finished(factories.queued(requester(ada)))
        with django_assert_max_num_queries(12) as few:
            ada_client.get("/enhance/history/")
        for _ in range(6):
            factories.finished(factories.queued(requester(ada)))
        with django_assert_max_num_queries(len(few.captured_queries)):
            ada_client.get("/enhance/history/")

    def test_several_are_deleted_and_nobody_elses(
        self, ada: User, ben: User, ada_client: Client, several: dict[str, Enhancement]
    ) -> None:
        bens = factories.queued(requester(ben))
        answer = ada_client.post(
            "/enhance/history/delete",
            {"pick": [several["ready"].pk, several["waiting"].pk, bens.pk, "no-number"], "task": "upscale"},
        )
        assert answer["Location"] == "/enhance/history/?task=upscale"
        assert set(Enhancement.objects.all()) == {several["failed"], bens}
        assert not Artifact.objects.filter(job=several["ready"].job).exists()

    def test_all_as_one_zip(self, ada_client: Client, several: dict[str, Enhancement]) -> None:
        answer = ada_client.get("/enhance/history/download")
        archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
        names = archive.namelist()
        assert len(names) == 3
        assert names[-1] == "authority.pem"
        assert "cat-upscale-1-compact" in names[0]
        signed = several["ready"].pictures.first().file
        assert archive.read(names[0]) == factories.content(signed)
        assert archive.testzip() is None

    def test_one_as_a_zip(self, ada_client: Client, several: dict[str, Enhancement]) -> None:
        answer = ada_client.get(reverse("enhancement:download", args=[several["ready"].pk]))
        assert len(zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).namelist()) == 3
        waiting = reverse("enhancement:download", args=[several["waiting"].pk])
        assert ada_client.get(waiting).status_code == 404

    def test_deleting_one(self, ada_client: Client, several: dict[str, Enhancement]) -> None:
        answer = ada_client.post(reverse("enhancement:delete", args=[several["ready"].pk]))
        assert answer["Location"] == "/enhance/history/"
        assert not Enhancement.objects.filter(pk=several["ready"].pk).exists()


def test_a_job_that_is_cancelled_publishes_nothing(ada: User) -> None:
    made = factories.queued(requester(ada))
    job, result = factories.claimed(made), factories.answer(made)
    lifecycle.cancel(made.job_id)
    lifecycle.succeed(job.pk, job.attempt, result)
    assert Artifact.objects.filter(job=made.job).exclude(role=Artifact.ORIGINAL).count() == 0


def test_uploads_that_look_alike_to_a_browser_are_told_apart(ada_client: Client) -> None:
    answer = sent(ada_client, picture=upload("picture.png", jpeg()))
    assert answer.status_code == 415
    assert "Name it .jpg" in text(answer)
