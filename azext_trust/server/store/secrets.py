"""Client secrets of service principals: the one check that every sign-in uses."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable

from sqlmodel import Session

from azext_trust.server.store import passwords, principals

_KEY = os.urandom(32)
_MOST = 4096
_proofs: dict[str, bytes] = {}


def owners(session: Session, principal: principals.DirectoryObject) -> list[str]:
    """Return the ids whose secrets are a service principal's: its own and its application's."""
    registered = principals.application_by_app_id(session, principal.app_id or "")
    return [principal.id, *([registered.id] if registered else [])]


def matching(
    session: Session, ids: Iterable[str], secret: str, verify: Callable[[str, str], bool] = passwords.verify_secret
) -> principals.Credential | None:
    """Return the stored secret that this is, in force or not; None when it is none.

    Args:
        session: a reading one.
        ids: see `owners`.
        secret: what was shown.
        verify: how a hash is checked; `verify_again` remembers.
    """
    return among(principals.credentials(session, list(ids), "secret"), secret, verify)


def among(
    rows: Iterable[principals.Credential], secret: str, verify: Callable[[str, str], bool] = passwords.verify_secret
) -> principals.Credential | None:
    """Return which of these stored secrets this is; None when it is none."""
    for row in rows:
        # The hint, the secret's first letters as Graph shows them, spares hashing against every other secret.
        if secret.startswith(row.hint) and verify(row.hashed, secret):
            return row
    return None


def in_force(row: principals.Credential, now: str) -> bool:
    """Tell whether a credential is good now (`clock.to_text` form)."""
    return not ((row.end and row.end <= now) or row.start > now)


def verify_again(hashed: str, secret: str) -> bool:
    """Check a secret that clients show again and again: docker does with every pull.

    Argon2 costs tens of milliseconds by design. A secret that was right is remembered as a digest under a key that
    only this process has, beside the hash it was right for: who changes or deletes the secret changes the hash.
    """
    proof = hmac.new(_KEY, secret.encode(), hashlib.sha256).digest()
    known = _proofs.get(hashed)
    if known is not None and hmac.compare_digest(known, proof):
        return True
    if not passwords.verify_secret(hashed, secret):
        return False
    if len(_proofs) >= _MOST:
        _proofs.clear()
    _proofs[hashed] = proof
    return True
