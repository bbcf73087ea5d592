"""Languages: all that can be chosen are complete, and nothing that people read is written past the catalogs."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import deactivate, override

from deepfake_site import catalogs
from generation import texts
from generation.consents import Consent
from tests.live_site import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from babel.messages.catalog import Catalog
    from pytest_django.fixtures import SettingsWrapper

TRANSLATED = [code for code in settings.TRANSLATIONS if code != settings.LANGUAGE_CODE]
TEMPLATES = sorted((REPOSITORY / "templates").rglob("*.html"))
# Names and signs, the same in every language.
SAME: Final = {
    "Unmask",
    "Un",
    "mask",
    "PDF",
    "JSON",
    "API",
    "Meso-4",
    "MesoInception-4",
    "Grad-CAM",
    "C2PA",
    "AUC",
    "ROC",
    "px",
}
READ_ALOUD: Final = ("aria-label", "title", "alt", "placeholder", "aria-description")


@pytest.fixture(autouse=True)
def _no_language_stays() -> Iterator[None]:
    """A request leaves its language behind in the thread: nothing to a site, much to the next test."""
    yield
    deactivate()


@pytest.fixture(scope="module")
def messages() -> Catalog:
    return catalogs.messages()


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_string_is_missing(language: str, messages: Catalog) -> None:
    assert catalogs.faults(language, messages) == []
    compiled = catalogs.path_of(language).with_suffix(".mo")
    assert compiled.read_bytes() == catalogs.compiled(language), f"manage.py catalogs compile {language}"


def test_messages_of_program_and_templates_are_found(messages: Catalog) -> None:
    found = {message.id for message in messages}
    assert len(found) > 500
    assert "Skip to the content" in found  # templates/base.html
    assert "Checks" in found  # an apps.py
    assert "The file is empty. Choose the picture again, or save it anew." in found  # an error of ml/
    assert ("%(count)d job is being cancelled.", "%(count)d jobs are being cancelled.") in found
    plural = next(each for each in found if isinstance(each, tuple) and "file of yours is stored" in each[0])
    assert "%(files)s" in plural[1]


def test_faults_are_told_one_by_one(settings: SettingsWrapper, tmp_path: Path) -> None:
    """On a small program of three messages, from nothing to complete."""
    settings.BASE_DIR = tmp_path
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "words.py").write_text(
        '_("Hello %(name)s.")\nngettext("%(n)d thing", "%(n)d things", n)\npgettext("door", "open")\n'
    )
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(
        "{% load i18n %}\n   <p>\n{% translate 'Good' %}</p>{# Translators: a note #}\n"
        "{% blocktranslate trimmed count n=n %}\n  {{ n }} page\n{% plural %}\n {{ n }} pages\n{% endblocktranslate %}"
    )
    assert len(catalogs.faults("de")) == 5
    catalogs.update("de")
    path = catalogs.path_of("de")
    assert {fault.partition(":")[0] for fault in catalogs.faults("de")} == {"not translated"}

    def put(msgid: str, *strings: str) -> None:
        text = path.read_text()
        head, tail = text.split(f'msgid "{msgid}"', 1)
        for index, string in enumerate(strings):
            empty = 'msgstr ""' if len(strings) == 1 else f'msgstr[{index}] ""'
            tail = tail.replace(empty, empty[:-1] + string + '"', 1)
        path.write_text(f'{head}msgid "{msgid}"{tail}')

    put("Hello %(name)s.", "Hallo.")
    put("%(n)d thing", "%(n)d Ding", "%(n)d Dinge")
    put("%(n)s page", "%(n)s Seite", "%(n)s Seiten")
    put("open", "offen")
    put("Good", "Gut")
    (fault,) = catalogs.faults("de")
    assert fault.startswith("placeholders [] instead of ['%(name)s']")
    path.write_text(path.read_text().replace("Hallo.", "Hallo, %(name)s."))
    assert catalogs.faults("de") == []
    before = path.read_bytes()
    catalogs.update("de")
    assert path.read_bytes() == before, "nothing new: the file stays as it is"
    (tmp_path / "jobs" / "words.py").write_text('_("Hello %(name)s.")\n_("New")\n')
    catalogs.update("de")
    assert catalogs.faults("de") == ["not translated: 'New'"]
    assert "Ding" not in path.read_text()


def test_the_command_knows_its_languages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="Not among de, es, zh-hans: fr"):
        call_command("catalogs", "missing", "fr")


# --- The switch -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_switch_is_there_when_there_is_something_to_choose(client: Client, settings: SettingsWrapper) -> None:
    html = client.get("/").content.decode()
    for code, name in settings.TRANSLATIONS.items():
        assert f'<option value="{code}" lang="{code}"{" selected" if code == "en" else ""}>{name}</option>' in html
    settings.LANGUAGES = [("en", "English")]
    assert 'name="language"' not in client.get("/").content.decode()
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    html = client.get("/privacy/?a=b").content.decode()
    assert '<option value="de" lang="de">Deutsch</option>' in html
    assert 'name="next" value="/privacy/?a=b"' in html
    answer = client.post(reverse("set_language"), {"language": "de", "next": "/privacy/"})
    assert (answer.status_code, answer.url) == (302, "/privacy/")
    assert '<html lang="de"' in client.get("/privacy/").content.decode()
    assert '<html lang="de"' in Client(headers={"Accept-Language": "de-AT,de;q=0.9"}).get("/privacy/").content.decode()
    away = client.post(reverse("set_language"), {"language": "en", "next": "https://evil.example/"})
    assert away.url == "/"


def test_languages_are_named_in_their_own_words() -> None:
    with override("de"):
        assert settings.TRANSLATIONS["zh-hans"] == "简体中文"
    assert set(dict(settings.LANGUAGES)) <= set(settings.TRANSLATIONS)


@pytest.mark.django_db
@pytest.mark.parametrize("language", TRANSLATED)
def test_what_people_agree_to_is_translated_and_english_is_kept(language: str) -> None:
    agreed_to = [texts.terms(), *(texts.consent(relation) for relation in Consent.Relation.values)]
    with override(language):
        for text in agreed_to:
            assert text.is_translated, text.path
            assert len(text.translated_paragraphs) == len(text.paragraphs)
            assert text.body == text.path.read_text(encoding="utf-8").strip(), "the record keeps the English words"
    with override("en"):
        assert not any(text.is_translated for text in agreed_to)
    assert [text.version for text in agreed_to] == ["1"] * 4
    html = Client(headers={"Accept-Language": language}).get(reverse("generation:terms")).content.decode()
    with override(language):
        assert all(
            escape(part) in html for text in agreed_to[:1] for part in (*text.paragraphs, *text.translated_paragraphs)
        )


def past_the_catalogs(source: str, keywords: dict[str, int]) -> list[str]:
    """Calls whose sentence no catalog can list: an f-string, or one that is put together on the spot."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in keywords:
            for given in node.args[keywords[node.func.id] :][:1]:
                if isinstance(given, ast.JoinedStr | ast.BinOp) or (
                    isinstance(given, ast.Call) and isinstance(given.func, ast.Attribute)
                ):
                    found.append(ast.unparse(given))
    return found


def test_an_error_never_says_what_no_catalog_lists() -> None:
    assert past_the_catalogs("MediaError('a', f'{x} is bad'); Sentence(f'{y}')", {"MediaError": 1, "Sentence": 0})
    told = {"MediaError": 1, "PersonError": 1, "IntakeError": 1, "Sentence": 0, "N_": 0}
    found = {
        path.name: past_the_catalogs(path.read_text(encoding="utf-8"), told)
        for path in catalogs.sources()
        if path.suffix == ".py"
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


# --- Nothing past the catalogs ----------------------------------------------------------------------------------------
def bare_words(template: str) -> list[str]:
    """Words of a template that no catalog ever sees."""
    text = re.sub(r"{%\s*comment.*?endcomment\s*%}|{#.*?#}", "", template, flags=re.DOTALL)
    text = re.sub(r"{%\s*(blocktranslate|blocktrans)\b.*?{%\s*end\1\s*%}", " ", text, flags=re.DOTALL)
    text = re.sub(r"<(script|style|code|pre|kbd)\b.*?</\1>", " ", text, flags=re.DOTALL)
    text = re.sub(r"{%.*?%}|{{.*?}}", "\0", text, flags=re.DOTALL)
    spoken = re.findall(rf'(?:{"|".join(READ_ALOUD)})="([^"]*)"', text)
    shown = re.sub(r"<[^>]*>", "\0", text).split("\0")
    parts = [re.sub(r"&\w+;", " ", part) for part in (*spoken, *shown)]
    words = [word for part in parts for word in re.findall(r"[^\W\d_]{2,}(?:-\w+)*", part)]
    return [word for word in words if word not in SAME]


def test_bare_words_are_seen() -> None:
    page = "<p title=\"Hidden\">{% translate 'Good' %} Bad {{ value }}</p><code>x y</code>"
    assert bare_words(page) == ["Hidden", "Bad"]
    assert bare_words("{% blocktranslate %}Fine{% endblocktranslate %}<b>Unmask</b> {# note #}") == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(REPOSITORY / "templates").as_posix())
def test_every_word_of_a_template_goes_through_the_catalogs(template: Path) -> None:
    assert bare_words(template.read_text(encoding="utf-8")) == []


def test_scripts_have_no_words_of_their_own() -> None:
    """Pages hand theirs over in data attributes."""
    told = re.compile(r"""(?:textContent|innerText|ariaLabel|title|alt|placeholder)\s*=\s*["'`]([^"'`]*)["'`]""")
    found = {
        path.name: words
        for path in (REPOSITORY / "static" / "js").glob("*.js")
        if (words := [w for w in told.findall(path.read_text(encoding="utf-8")) if re.search("[A-Za-z]{2}", bare(w))])
    }
    assert found == {}


def bare(literal: str) -> str:
    """A template literal without what is put into it."""
    while (inner := re.sub(r"\$\{[^{}]*\}", "", literal)) != literal:
        literal = inner
    return literal
