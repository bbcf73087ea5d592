"""Why a picture is not enhanced, before any work is done on it: each with a code and a sentence."""

from __future__ import annotations

from django.utils.translation import gettext as _

from jobs.errors import PersonError


class NotSignedIn(PersonError):
    status = 401

    def __init__(self) -> None:
        super().__init__("not_signed_in", _("Only signed-in members can enhance pictures here. Please sign in first."))


class WrongWish(PersonError):
    """The task, its methods or their settings do not fit each other."""

    def __init__(self, message: str, code: str = "wrong_wish", field: str = "methods") -> None:
        super().__init__(code, message)
        self.field = field


class Gone(PersonError):
    """What is asked for was deleted or taken down."""

    status = 410

    def __init__(self) -> None:
        super().__init__("gone", _("The picture is not here any more, so nothing can be made of it."))
