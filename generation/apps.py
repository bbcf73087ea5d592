from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class GenerationConfig(AppConfig):
    name = "generation"
    verbose_name = _("Creations")

    def ready(self) -> None:
        from jobs import books
        from jobs.kinds import register

        from . import signals  # noqa: F401 - connects the receivers
        from .animation import ANIMATION
        from .bookkeeping import BOOKS
        from .identities import register_catalog
        from .kinds import KIND, SWAP, SWAP_CLIP, SWAP_OWN

        for kind in (KIND, SWAP, SWAP_CLIP, SWAP_OWN, ANIMATION):
            register(kind)
        register_catalog(settings.GENERATION_PEOPLE)
        books.keep(BOOKS)
