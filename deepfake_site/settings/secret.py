"""The signing key of an installation that was given none: made once, kept beside its database, its owner's to read."""

import os
import tempfile
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def secret_key_from(path: Path) -> str:
    """Return the key kept in `path`, making it first if there is none.

    The key is written in full under another name and then linked into place, which fails where a file is already:
    of two processes that start at once, both read the key of the first.
    """
    if not path.exists():
        descriptor, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # readable by its owner only
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(get_random_secret_key())
            os.link(name, path)
        except FileExistsError:
            pass  # another process was first
        finally:
            Path(name).unlink()
    return path.read_text(encoding="ascii").strip()
