"""Repository-scoped tokens: is this one of its passwords?"""

from __future__ import annotations

from azext_trust.server.store import secrets
from azext_trust.server.store.scope_maps import Token


def accepts(token: Token, password: str, now: str) -> bool:
    """Tell whether a token is enabled and this is one of its passwords, not expired.

    Args:
        token: the token.
        password: what was shown.
        now: the cloud's present in `clock.to_text` form.
    """
    if token.status.lower() != "enabled":
        return False
    return any(
        (not held.expiry or held.expiry > now) and secrets.verify_again(held.hashed, password)
        for held in token.passwords
    )
