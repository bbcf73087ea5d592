from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = _("Jobs")

    def ready(self) -> None:
        from . import signals  # noqa: F401  (connects the receivers)
        from .kinds import register
        from .retention import PURGE

        register(PURGE)
        for name in settings.JOBS_EXTRA_KINDS:
            register(import_string(name))
