"""One process on one machine: SQLite, the in-memory channel layer, mail printed to the console."""

from .base import *
from .base import env

DEBUG = env.bool("UNMASK_DEBUG", default=False)
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
STAFF_SECOND_FACTOR_REQUIRED = env.bool("UNMASK_STAFF_SECOND_FACTOR", default=False)
