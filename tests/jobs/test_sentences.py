"""What jobs say is said in the language of whoever reads it, from the inference child to the page."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import pytest
from django.utils import translation

from jobs.errors import PersonError
from jobs.outcomes import Refused
from jobs.requester import language_of_scope
from jobs.sentences import packed, told
from ml.errors import MediaError
from ml.sentences import Sentence

from .conftest import asubmit, ended

if TYPE_CHECKING:
    from jobs import worker as worker_module

TOO_LARGE = "The file is larger than %(limit)d MB. Save it with a lower quality or a smaller size."
IN_GERMAN = "Die Datei ist größer als 15 MB. Speichern Sie sie mit geringerer Qualität oder kleiner."


def test_a_sentence_is_english_and_remembers_its_values() -> None:
    error = pickle.loads(pickle.dumps(MediaError("too_large", TOO_LARGE, limit=15)))  # noqa: S301
    assert str(error) == TOO_LARGE % {"limit": 15}
    refused = Refused.of(PersonError(error.code, error.message))
    assert refused == Refused("too_large", {"template": TOO_LARGE, "params": {"limit": 15}})
    with translation.override("de"):
        assert told(refused.message) == IN_GERMAN
        assert told(packed(error.message)) == IN_GERMAN


def test_values_that_are_words_are_translated_too() -> None:
    what = Sentence("The file is %(what)s. Save it as MP4 or WebM and check that.", what="an AVI video")
    pile = Sentence.joined(what, Sentence("Left out: %(faces)s.", faces=Sentence("%(count)d blurred", count=3)))
    kept = json.loads(json.dumps(packed(pile)))
    assert told(kept) == str(pile)
    with translation.override("zh-hans"):
        assert told(kept) == "文件是AVI 视频。请保存为 MP4 或 WebM 再检测。 已舍弃：3 张模糊。"  # noqa: RUF001
        assert told("This was never in a catalog.") == "This was never in a catalog."


@pytest.mark.parametrize("stored", ["", "100 % of it", "%(gone)s", {"template": "%(a)d", "params": {"b": 1}}])
def test_what_is_stored_is_always_told_somehow(stored: object) -> None:
    assert told(stored) == (stored["template"] if isinstance(stored, dict) else stored)


def test_a_socket_speaks_as_pages_do() -> None:
    headers = [(b"accept-language", b"fr;q=0.9, es-MX;q=0.8, de;q=0.1")]
    assert language_of_scope({"headers": headers}) == "es"
    assert language_of_scope({"headers": headers, "cookies": {"django_language": "de"}}) == "de"
    assert language_of_scope({"headers": headers, "cookies": {"django_language": "nonsense"}}) == "es"
    assert language_of_scope({}) == "en"


@pytest.mark.django_db(transaction=True)
async def test_from_the_child_to_the_reader(worker: worker_module.Worker) -> None:
    job = await ended(await asubmit(do="refuse_too_large"))
    assert (job.error_message, job.error_params) == (TOO_LARGE, {"limit": 15})
    with translation.override("de"):
        assert job.error_text == IN_GERMAN
