"""Whom to trust: the certificate authorities that an operator has installed. None is shipped, and none fetched."""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path

logger = logging.getLogger(__name__)

MAX_BYTES = 4 * 1024 * 1024


@cache
def installed_trust_list() -> str:
    """The PEM certificates in the file that UNMASK_TRUST_LIST names; "" where there is none.

    Read once in a process. A list that was asked for and cannot be read is said in the log: without it every signer is
    one whom nobody vouches for, which is true, and no reason to fail every check.
    """
    name = os.environ.get("UNMASK_TRUST_LIST", "")
    if not name:
        return ""
    try:
        with Path(name).open("rb") as file:
            text = file.read(MAX_BYTES).decode("ascii")
    except (OSError, ValueError) as error:
        logger.error("The trust list %s (UNMASK_TRUST_LIST) cannot be read: %s", name, error)
        return ""
    if "-----BEGIN CERTIFICATE-----" not in text:
        logger.error("The trust list %s (UNMASK_TRUST_LIST) holds no certificate in PEM.", name)
        return ""
    return text
