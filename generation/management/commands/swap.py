"""`manage.py swap TARGET OUT --person SLUG --consent ID --affirm`: a swap from the command line, by the same gate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import CommandError

from generation import services, swaps
from generation.management.making import MakingCommand, consent_of
from generation.refusals import Refused
from jobs.errors import IntakeError
from jobs.quotas import QuotaExceeded
from jobs.requester import Requester

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from generation.consents import Consent
    from generation.models import Generation

NO_CONSENT = (
    "Nobody is swapped without a record of consent. State it on the site for this very file (Create, Swap a face), and "
    "give its number: --consent ID. The numbers of your records stand under Create, Consents."
)


class Command(MakingCommand):
    help = (
        "Paint a person into a picture or clip. What is made belongs to whoever stated the consent, and every rule of "
        "the pages holds: terms, permission, quota, block list, mark, signature, ledger. A worker must be running."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", metavar="TARGET", type=Path, help="the picture or clip whose face is replaced")
        parser.add_argument("out", metavar="OUT", type=Path, help="where the sealed result is written")
        parser.add_argument("--person", required=True, metavar="SLUG", help="a built-in person, or one that was taught")
        parser.add_argument("--consent", default="", metavar="ID", help="number of the record of consent for TARGET")
        parser.add_argument(
            "--affirm", action="store_true", help="nobody shown is under eighteen, and nothing of it is sexual"
        )
        for name, values in swaps.CHOICES.items():
            parser.add_argument(f"--{name}", choices=list(values), default=swaps.OPTIONS[name])
        for name, (low, high) in swaps.SHARES.items():
            parser.add_argument(f"--{name}", type=float, default=swaps.OPTIONS[name], help=f"{low:g} to {high:g}")
        parser.add_argument("--title", default="")
        parser.add_argument("--timeout", type=float, default=900.0, help="seconds to wait for the worker (900)")

    def handle(self, *args: Any, **options: Any) -> None:
        consent = consent_of(options["consent"])
        if consent is None:
            raise CommandError(NO_CONSENT, returncode=2)
        target, out = options["target"], options["out"]
        if not out.parent.is_dir():
            raise CommandError(f"there is no folder {out.parent} to write to")
        for name, (low, high) in swaps.SHARES.items():
            if not low <= options[name] <= high:
                raise CommandError(f"--{name} is {low:g} to {high:g}")
        try:
            generation = self._queued(consent, target, options)
        except OSError as error:
            raise CommandError(f"{target}: {error.strerror or error}") from error
        except (Refused, IntakeError, QuotaExceeded) as error:
            raise CommandError(str(error)) from error
        self.deliver(generation, out, options["timeout"])

    def _queued(self, consent: Consent, target: Path, options: dict[str, Any]) -> Generation:
        requester = Requester(user=consent.owner, session_key=None)
        person = swaps.person_of(requester, options["person"])
        if person is None:
            known = ", ".join(each.value for each in swaps.people(requester)) or "nobody"
            raise CommandError(f"nobody here is called {options['person']!r}; known are: {known}")
        upload = SimpleUploadedFile(target.name, target.read_bytes())
        artifact = services.accept_file(requester, upload, swaps.SWAP, clips=True)
        chosen = {name: options[name] for name in (*swaps.CHOICES, *swaps.SHARES)}
        try:
            return swaps.submit(
                requester,
                swaps.Cast(artifact, person),
                {swaps.TARGET: consent},
                affirmed=options["affirm"],
                options=chosen,
                title=options["title"],
            )
        except (Refused, QuotaExceeded):
            artifact.delete()
            raise
