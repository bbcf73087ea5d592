"""`manage.py animate PORTRAIT OUT --built-in nod --consent ID`: an animation, by the same gate as the pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import CommandError

from generation import animations, motions
from generation.animation import DRIVER, PORTRAIT
from generation.management.making import MakingCommand, consent_of
from generation.refusals import Refused
from jobs.errors import IntakeError, PersonError
from jobs.quotas import QuotaExceeded
from jobs.requester import Requester

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from generation.consents import Consent
    from generation.models import Generation

NO_CONSENT = (
    "Nobody is animated without a record of consent. State it on the site for this very file (Create, Animate a "
    "portrait), and give its number: --consent ID. The numbers of your records stand under Create, Consents."
)
NO_CONSENT_OF_DRIVER = (
    "The person in the driving clip has a record of consent too, or nobody moves by it: --driver-consent ID."
)


class Command(MakingCommand):
    help = (
        "Move a still portrait by a clip or a built-in motion. What is made belongs to whoever stated the consent, and "
        "every rule of the pages holds: terms, permission, quota, block list, mark, signature, ledger. A worker must "
        "be running."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("portrait", metavar="PORTRAIT", type=Path, help="the picture that is moved")
        parser.add_argument("out", metavar="OUT", type=Path, help="where the sealed MP4 is written")
        by = parser.add_mutually_exclusive_group(required=True)
        by.add_argument("--driver", type=Path, metavar="CLIP", help="a clip of one face")
        by.add_argument("--built-in", metavar="SLUG", help="a motion that comes along: nod, turn, blink, speak")
        parser.add_argument("--consent", default="", metavar="ID", help="number of the record of consent for PORTRAIT")
        parser.add_argument("--driver-consent", default="", metavar="ID", help="likewise for CLIP")
        parser.add_argument(
            "--affirm", action="store_true", help="nobody shown is under eighteen, and nothing of it is sexual"
        )
        for name, values in animations.CHOICES.items():
            parser.add_argument(f"--{name}", choices=list(values), default=animations.OPTIONS[name])
        low, high = animations.MOVEMENT
        parser.add_argument(
            "--movement", type=float, default=1.0, help=f"how much of the motion, {low:g} to {high:g} (1)"
        )
        parser.add_argument(
            "--from-first-frame", action="store_true", help="not from the clip's frame that is most like the portrait"
        )
        parser.add_argument(
            "--restore-faces", action="store_true", help="draw the face of every frame anew, by the face restorer"
        )
        parser.add_argument(
            "--network", default=animations.OPTIONS["network"], metavar="FILE.fomm.npz", help="an imported motion model"
        )
        parser.add_argument("--title", default="")
        parser.add_argument("--timeout", type=float, default=900.0, help="seconds to wait for the worker (900)")

    def handle(self, *args: Any, **options: Any) -> None:
        consents = {PORTRAIT: consent_of(options["consent"])}
        if consents[PORTRAIT] is None:
            raise CommandError(NO_CONSENT, returncode=2)
        if options["driver"] is not None:
            consents[DRIVER] = consent_of(options["driver_consent"])
            if consents[DRIVER] is None:
                raise CommandError(NO_CONSENT_OF_DRIVER, returncode=2)
        if not options["out"].parent.is_dir():
            raise CommandError(f"there is no folder {options['out'].parent} to write to")
        try:
            stated = {role: consent for role, consent in consents.items() if consent is not None}
            generation = self._queued(stated, options)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror or error}") from error
        except (Refused, IntakeError, QuotaExceeded, PersonError) as error:
            raise CommandError(str(error)) from error
        self.deliver(generation, options["out"], options["timeout"])

    def _queued(self, consents: dict[str, Consent], options: dict[str, Any]) -> Generation:
        requester = Requester(user=consents[PORTRAIT].owner, session_key=None)
        chosen = animations.checked_options(
            {name: options[name] for name in ("motion", "framing", "movement", "network")}
            | {"best_start": not options["from_first_frame"], "restore_faces": options["restore_faces"]}
        )
        motion = None
        if options["built_in"] is not None:
            motion = motions.find(f"{motions.PREFIX}{options['built_in']}")
            if motion is None:
                known = ", ".join(each.slug for each in motions.motions())
                raise CommandError(f"there is no built-in motion called {options['built_in']!r}; there are {known}")
        kept = [animations.accept_portrait(requester, _upload(options["portrait"]))]
        try:
            clip = None
            if options["driver"] is not None:
                clip = animations.accept_clip(requester, _upload(options["driver"]))
                kept.append(clip)
            cast = animations.Cast(kept[0], clip, motion)
            return animations.submit(
                requester, cast, consents, affirmed=options["affirm"], options=chosen, title=options["title"]
            )
        except (Refused, IntakeError, QuotaExceeded, OSError):
            for artifact in kept:
                artifact.delete()
            raise


def _upload(path: Path) -> SimpleUploadedFile:
    return SimpleUploadedFile(path.name, path.read_bytes())
