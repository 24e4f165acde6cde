"""Registry names as az takes them."""

from __future__ import annotations

import re

from knack.log import get_logger
from knack.util import CLIError

logger = get_logger(__name__)


def checked(name: str) -> str:
    """Return a registry name that can be asked for; a login server's suffix is cut off as az does.

    Raises:
        CLIError: no registry can have this name.
    """
    short = name.split(".", 1)[0]
    if short != name:
        logger.warning("The login server endpoint suffix '%s' is automatically omitted.", name[len(short) :])
    if not re.fullmatch(r"[A-Za-z0-9]{5,50}", short):
        raise CLIError(
            "Registry names may contain only alpha numeric characters and must be between 5 and 50 characters"
        )
    return short
