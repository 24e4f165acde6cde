"""Action patterns: ``*`` is any run of characters, slashes included; case is ignored (rbac-semantics.md section 2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=8192)
def compile_pattern(pattern: str) -> Callable[[str], object]:
    """Return a function that tells whether an action matches the whole pattern."""
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.compile(".*".join(parts), re.IGNORECASE | re.DOTALL).fullmatch


def matches(pattern: str, action: str) -> bool:
    """Tell whether an action matches a pattern."""
    return compile_pattern(pattern)(action) is not None


def first_match(patterns: tuple[str, ...], action: str) -> str | None:
    """Return the first pattern that matches, or None."""
    return next((pattern for pattern in patterns if matches(pattern, action)), None)
