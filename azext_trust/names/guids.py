"""GUIDs as Azure writes them."""

from __future__ import annotations

import re
import uuid

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_guid(text: str) -> bool:
    """Tell whether the text is a GUID with dashes, in any case."""
    return _GUID.fullmatch(text) is not None


def new_guid() -> str:
    """Return a random GUID in lower case."""
    return str(uuid.uuid4())
