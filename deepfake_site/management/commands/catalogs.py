"""`manage.py catalogs`: makes, compiles and compares the catalogs of translations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

if TYPE_CHECKING:
    import argparse

try:
    from deepfake_site import catalogs
except ImportError:  # an installation without the tests' requirements
    catalogs = None  # type: ignore[assignment]


class Command(BaseCommand):
    help = "Catalogs of translations in locale/: extract what is to be translated, compile, or say what is missing."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("action", choices=("extract", "compile", "missing"))
        parser.add_argument(
            "languages", nargs="*", help="Codes, such as de (default: every one that the site knows, less English)."
        )

    def handle(self, *args: Any, action: str, languages: list[str], **options: Any) -> None:
        if catalogs is None:
            raise CommandError("Babel is not installed: pip install -r requirements.txt")
        known = [code for code in settings.TRANSLATIONS if code != settings.LANGUAGE_CODE]
        unknown = set(languages) - set(known)
        if unknown:
            raise CommandError(f"Not among {', '.join(known)}: {', '.join(sorted(unknown))}")
        for language in languages or known:
            getattr(self, f"_{action}")(language)

    def _extract(self, language: str) -> None:
        catalog = catalogs.update(language)
        path = catalogs.path_of(language).relative_to(settings.BASE_DIR)
        empty = sum(1 for message in catalog if message.id and not _is_translated(message))
        self.stdout.write(f"{path}: {len(catalog)} messages, {empty} to translate")

    def _compile(self, language: str) -> None:
        path = catalogs.compile_catalog(language)
        self.stdout.write(f"{path.relative_to(settings.BASE_DIR)}: {path.stat().st_size} bytes")

    def _missing(self, language: str) -> None:
        found = catalogs.faults(language)
        for line in found:
            self.stdout.write(f"{language}: {line}")
        self.stdout.write(f"{language}: {len(found)} missing" if found else f"{language}: complete")


def _is_translated(message: Any) -> bool:
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)
