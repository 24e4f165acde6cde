"""Names of container registries, and of what tokens may do in them."""

from __future__ import annotations

import re

TOKEN_VERBS = {
    "repositories": ("content/delete", "content/read", "content/write", "metadata/read", "metadata/write"),
    "gateway": ("config/read", "config/write", "message/read", "message/write"),
}
"""What the actions of a scope map end with (ScopeMaps REST reference)."""
_PART = r"[a-zA-Z0-9]+(?:[._-]+[a-zA-Z0-9]+)*"
_ACTION = re.compile(rf"(repositories|gateway)/(\*|{_PART}(?:/{_PART})*(?:/\*)?)/(\w+/\w+)")
_NAME = re.compile(r"[a-zA-Z0-9]{5,50}")


def valid_registry_name(text: str) -> bool:
    """Tell whether the service takes this as a registry's name: 5 to 50 letters and digits."""
    return _NAME.fullmatch(text) is not None


def valid_token_action(text: str) -> bool:
    """Tell whether a scope map can have an action, ``repositories/team/*/content/read``: a wildcard stands at the end."""
    match = _ACTION.fullmatch(text)
    return match is not None and match[3] in TOKEN_VERBS[match[1]]
