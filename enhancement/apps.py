from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EnhancementConfig(AppConfig):
    name = "enhancement"
    verbose_name = _("Enhancements")

    def ready(self) -> None:
        from jobs.kinds import register

        from . import signals  # noqa: F401 - connects the receivers
        from .kinds import KIND, KIND_LONG, KIND_VIDEO

        register(KIND)
        register(KIND_LONG)
        register(KIND_VIDEO)
