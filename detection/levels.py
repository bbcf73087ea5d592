"""The four verdicts that a check can end with, as the pages, the API and the rows name them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.TextChoices):
    LIKELY_MANIPULATED = "likely_manipulated", _("Likely manipulated")
    INCONCLUSIVE = "inconclusive", _("Inconclusive")
    LIKELY_AUTHENTIC = "likely_authentic", _("Likely authentic")
    NOT_APPLICABLE = "not_applicable", _("Could not be judged")
