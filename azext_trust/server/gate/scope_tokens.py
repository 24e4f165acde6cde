"""Repository-scoped tokens: the one place where the token service meets their tables."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Protocol, cast

from sqlmodel import Session

from azext_trust.server.store import secrets


class TokenPassword(Protocol):
    """A password of a token; `expiry` is in `clock.to_text` form, or empty."""

    hashed: str
    expiry: str


class ScopeToken(Protocol):
    """A token with its scope map's actions."""

    name: str
    status: str

    @property
    def actions(self) -> Sequence[str]:
        """The scope map's actions, ``repositories/team/web/content/read``."""
        ...

    @property
    def passwords(self) -> Sequence[TokenPassword]:
        """At most two passwords."""
        ...


def registry_token(session: Session, registry_id: str, name: str) -> ScopeToken | None:
    """Return a registry's token by name, or None. Connect the tables here."""
    try:
        module = importlib.import_module("azext_trust.server.store.scope_maps")
    except ModuleNotFoundError:
        return None
    return cast(ScopeToken | None, module.registry_token(session, registry_id, name))


def accepts(token: ScopeToken, password: str, now: str) -> bool:
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
