"""Names of container registries."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-zA-Z0-9]{5,50}")


def valid_registry_name(text: str) -> bool:
    """Tell whether the service takes this as a registry's name: 5 to 50 letters and digits."""
    return _NAME.fullmatch(text) is not None
