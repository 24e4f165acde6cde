"""Passwords and client secrets: hashed with Argon2id, never kept in clear."""

from __future__ import annotations

import secrets
import string

# The library's low-memory profile of RFC 9106 section 4 costs tens of milliseconds: a sign-in each, not a page each.
_ALPHABET = string.ascii_letters + string.digits


def hash_secret(secret: str) -> str:
    """Return the Argon2id hash (PHC string) of a password or client secret."""
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY).hash(secret)


def verify_secret(hashed: str, secret: str) -> bool:
    """Tell whether the secret is the one that was hashed."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(hashed, secret)
    except (VerificationError, InvalidHashError):
        return False


def new_secret(length: int = 40) -> str:
    """Return a random client secret in Entra's shape: letters, digits and one ``~`` early on."""
    made = "".join(secrets.choice(_ALPHABET) for _ in range(length - 1))
    return f"{made[:3]}~{made[3:]}"
