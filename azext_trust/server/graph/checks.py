"""How paths of Graph may be spelled: keys in parentheses are the same as segments (OData key syntax)."""

from __future__ import annotations

import re

_KEY = re.compile(r"/(\w+)\((?:(\w+)=)?'([^'/]*)'\)")
_ENCODED = re.compile(r"%(?:28|29|27)", re.IGNORECASE)
_BETA = re.compile(r"^/beta(?=/|$)")


def rewrite(path: str) -> str:
    """Return the path in the form the routes have: ``/users('x')`` is ``/users/x``; beta is answered as v1.0."""
    plain = _ENCODED.sub(lambda found: {"28": "(", "29": ")", "27": "'"}[found[0][1:]], path)
    plain = _KEY.sub(lambda found: f"/{found[1]}/{found[2] + '=' if found[2] else ''}{found[3]}", plain)
    return _BETA.sub("/v1.0", plain if plain != path and "(" not in plain else path)
