from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DetectionConfig(AppConfig):
    name = "detection"
    verbose_name = _("Checks")

    def ready(self) -> None:
        from jobs.kinds import register

        from . import signals  # noqa: F401 - connects the receivers
        from .desk.telling import TELL_REPORTERS
        from .kinds import CHECK, CHECK_VIDEO

        register(CHECK)
        register(CHECK_VIDEO)
        register(TELL_REPORTERS)
