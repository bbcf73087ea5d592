"""What the suite runs under: its own data directory, fast password hashing, mail kept in memory."""

import os
import tempfile
from pathlib import Path

os.environ["UNMASK_DATA_DIR"] = os.environ.get("UNMASK_TEST_DATA_DIR") or tempfile.mkdtemp(prefix="unmask-test-")

from .embedded import *
from .embedded import DATA_DIR, DATABASES

MEDIA_ROOT = Path(os.environ["UNMASK_DATA_DIR"]) / "files"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as outside the tests: the test runner's shared in-memory database locks whole tables without waiting.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
