"""Write the labelled crops of the review desk into an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection.desk import export

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Write the faces that people have judged, of pictures whose owners allowed it, into a ZIP file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the archive to write; it must not be there yet")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open("xb") as target:
                path.chmod(0o600)
                tally = export.write(target, None, settings.SITE_NAME)
        except OSError as error:
            raise CommandError(f"{path} could not be written: {error.strerror}") from error
        self.stdout.write(f"{tally.crops} crops")
        for why, count in sorted(tally.left_out.items()):
            self.stdout.write(f"left out: {count} {why}")
