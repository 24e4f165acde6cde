"""Keys and secrets at rest: encryption under a key file that only its owner can read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from functools import cached_property
from pathlib import Path

from azext_trust import home


class Vault:
    """Encrypts what the server must be able to read again, and keys the activity log's head.

    Args:
        directory: the cloud directory; the key lies in ``keys/vault`` (32 random bytes).
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "keys" / "vault"

    @cached_property
    def _key(self) -> bytes:
        try:
            key = self._path.read_bytes()
        except FileNotFoundError:
            key = home.create_private(self._path, os.urandom(32))
        if len(key) != 32:
            raise VaultKeyError(f"The key file {self._path} is damaged: restore it from a backup.")
        return key

    def _derived(self, purpose: str) -> bytes:
        # HKDF-Expand with one block (RFC 5869 section 2.3): the vault key is uniformly random already.
        return hmac.new(self._key, purpose.encode() + b"\x01", hashlib.sha256).digest()

    def encrypt(self, secret: bytes, purpose: str) -> str:
        """Encrypt with AES-256-GCM; the purpose is authenticated, so a value cannot be moved to another place."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        sealed = AESGCM(self._derived("encrypt")).encrypt(nonce, secret, purpose.encode())
        return base64.b64encode(nonce + sealed).decode()

    def decrypt(self, sealed: str, purpose: str) -> bytes:
        """Return what `encrypt` was given.

        Raises:
            VaultKeyError: the key file is not the one this was encrypted with.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        raw = base64.b64decode(sealed)
        try:
            return AESGCM(self._derived("encrypt")).decrypt(raw[:12], raw[12:], purpose.encode())
        except InvalidTag:
            raise VaultKeyError(
                f"The key file {self._path} does not belong to this state: restore the one it was made with."
            ) from None

    def seal_head(self, text: str) -> str:
        """Return the keyed digest (HMAC-SHA-256, hex) that makes a rewritten activity log show."""
        return hmac.new(self._derived("activity"), text.encode(), hashlib.sha256).hexdigest()

    def operator_key(self) -> str:
        """Return the operator key's text, made on first use in ``keys/operator``."""
        path = self._path.with_name("operator")
        try:
            return path.read_text().strip()
        except FileNotFoundError:
            made = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=")
            return home.create_private(path, made + b"\n").decode().strip()


class VaultKeyError(Exception):
    """The vault's key file is damaged or belongs to another state."""
