from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GenerationConfig(AppConfig):
    name = "generation"
    verbose_name = _("Creations")

    def ready(self) -> None:
        from jobs import books
        from jobs.kinds import register

        from . import signals  # noqa: F401 - connects the receivers
        from .bookkeeping import BOOKS
        from .kinds import KIND

        register(KIND)
        books.keep(BOOKS)
