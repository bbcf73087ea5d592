"""One process on one machine: SQLite, the in-memory channel layer, mail printed to the console."""

from .base import *
from .base import env

DEBUG = env.bool("UNMASK_DEBUG", default=False)
STATIC_ROOT = None  # nothing is collected: WhiteNoise finds the files where they are
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
STAFF_SECOND_FACTOR_REQUIRED = env.bool("UNMASK_STAFF_SECOND_FACTOR", default=False)
