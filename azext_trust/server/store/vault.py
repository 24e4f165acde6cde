"""Keys and secrets at rest: encryption under a key file that only its owner can read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from functools import cached_property
from pathlib import Path

from azext_trust import home
from azext_trust.server.store import trouble
from azext_trust.server.store.errors import VaultKeyError

__all__ = ["Vault", "VaultKeyError"]

_SIZE = 32


class Vault:
    """Encrypts what the server must be able to read again, and keys the activity log's head.

    Args:
        directory: the cloud directory; the key lies in ``keys/vault`` (32 random bytes).
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "keys" / "vault"

    def create(self) -> None:
        """Make the key file of a state that is being founded; one that exists stays."""
        with trouble.told(self._directory):
            home.create_private(self._path, os.urandom(_SIZE))

    @cached_property
    def _key(self) -> bytes:
        try:
            key = self._path.read_bytes()
        except FileNotFoundError:
            raise VaultKeyError(
                f"The key file {self._path} is missing. Restore it from a backup: without it nobody can sign in and the "
                "activity log cannot be checked."
            ) from None
        except OSError as error:
            raise VaultKeyError(
                f"The key file {self._path} cannot be read ({error.strerror}). Give yourself the right to read it."
            ) from None
        if len(key) != _SIZE:
            raise VaultKeyError(
                f"The key file {self._path} is damaged: it holds {len(key)} bytes, not {_SIZE}. "
                "Restore it from a backup."
            )
        return key

    def _derived(self, purpose: str) -> bytes:
        # HKDF-Expand with one block (RFC 5869 section 2.3): the vault key is uniformly random already.
        return hmac.digest(self._key, purpose.encode() + b"\x01", hashlib.sha256)

    @cached_property
    def _log_key(self) -> bytes:
        return self._derived("activity")

    def encrypt(self, secret: bytes, purpose: str) -> str:
        """Encrypt with AES-256-GCM; the purpose is authenticated, so a value cannot be moved to another place."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        sealed = AESGCM(self._derived("encrypt")).encrypt(nonce, secret, purpose.encode())
        return base64.b64encode(nonce + sealed).decode()

    def decrypt(self, sealed: str, purpose: str) -> bytes:
        """Return what `encrypt` was given.

        Raises:
            VaultKeyError: the key file is not the one this was encrypted with, or the value was changed.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            raw = base64.b64decode(sealed, validate=True)
            return AESGCM(self._derived("encrypt")).decrypt(raw[:12], raw[12:], purpose.encode())
        except (InvalidTag, ValueError):
            raise self._foreign() from None

    def check(self, proof: str) -> None:
        """Go on only with the key that made the proof.

        Args:
            proof: what `proof` returned when the state was founded; empty when it has not been asked yet.

        Raises:
            VaultKeyError: the key file is missing, damaged or another state's.
        """
        if proof and not hmac.compare_digest(proof, self.proof()):
            raise self._foreign()

    def proof(self) -> str:
        """Return what shows which key this is and tells nothing about it."""
        return self._derived("check").hex()

    def _foreign(self) -> VaultKeyError:
        return VaultKeyError(
            f"The key file {self._path} does not belong to this state: it was exchanged, or the database was. "
            "Restore the key file that the state was made with."
        )

    def seal(self, text: str) -> str:
        """Return the keyed digest (HMAC-SHA-256, hex) that makes a rewritten activity log show."""
        return hmac.digest(self._log_key, text.encode(), hashlib.sha256).hex()

    def operator_key(self) -> str:
        """Return the operator key's text, made on first use in ``keys/operator``.

        Raises:
            StateError: it cannot be read or made.
        """
        path = self._path.with_name("operator")
        with trouble.told(self._directory):
            try:
                return path.read_text().strip()
            except FileNotFoundError:
                made = base64.urlsafe_b64encode(os.urandom(_SIZE)).rstrip(b"=")
                return home.create_private(path, made + b"\n").decode().strip()
