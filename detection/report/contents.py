"""What a report says, gathered once for both of its forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from detection import pictures

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from detection.models import Check, FaceFinding, Frame
    from jobs.models import Artifact


@dataclass(frozen=True, slots=True)
class Contents:
    """One check as its reader may see it: the addresses of the pictures are theirs, and `private` says whether what
    only the owner's page shows (the file's name, the check's number) is in it."""

    check: Check
    faces: list[FaceFinding]
    frames: list[Frame]
    site: str
    address: str
    made: datetime
    private: bool

    @property
    def words(self) -> str:
        """The verdict that holds."""
        human = self.check.human
        return str(self.check.get_level_display()) if human is None else human.words

    @property
    def name(self) -> str:
        return self.check.title if self.private else ""


def gather(check: Check, url_of: Callable[[Artifact], str], address: str, *, private: bool) -> Contents:
    """`address` is the site's own, with scheme and host; `url_of` makes the addresses of pictures for this reader."""
    faces = pictures.faces_of(check)
    pictures.address(check, faces, url_of)
    return Contents(
        check=check,
        faces=faces,
        frames=pictures.frames_of(check, url_of),
        site=settings.SITE_NAME,
        address=address,
        made=timezone.now(),
        private=private,
    )


def caveat() -> str:
    return _(
        "This is not proof. It says how likely the traces in a face are to come from a manipulation, as far as these "
        "detectors know them; they err in both directions, and methods that they do not know leave no trace that they "
        "see. Weigh it with where the file comes from and who shows it, and decide about nobody by this alone."
    )
