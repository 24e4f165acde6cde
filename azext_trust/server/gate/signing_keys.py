"""The keys that tokens are signed with: made, published before use, replaced by age, kept until their tokens are dead.

As Entra's keys (https://learn.microsoft.com/entra/identity-platform/signing-key-rollover): several are published, one
signs, clients must look again when they meet a `kid` they do not know.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from azext_trust.server.store import clock, tokens
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.store.vault import Vault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

AGE = timedelta(days=42)
"""After this a key is replaced."""
NOTICE = timedelta(days=1)
"""So long before it signs a key is published: clients keep the key set for a day."""
LONGEST = timedelta(hours=24, minutes=5)
"""The longest life of a token, that of a managed identity, and the skew that clocks are allowed."""

_BEGINNING, _END = datetime(2015, 1, 1, tzinfo=UTC), datetime(2125, 1, 1, tzinfo=UTC)
"""The certificates of keys say nothing about time: the cloud's clock may be moved by years."""
_ISSUER = "accounts.accesscontrol.windows.net"
_loaded: dict[tuple[str, str], RSAPrivateKey] = {}


def signing(keys: list[tokens.SigningKey], now: datetime) -> tokens.SigningKey | None:
    """Return the key that signs now: the newest that may, or the oldest when the clock was moved before all."""
    moment = clock.to_text(now)
    return next((key for key in keys if key.created <= moment), keys[-1] if keys else None)


def published(keys: list[tokens.SigningKey], now: datetime) -> list[tokens.SigningKey]:
    """Return the keys that verify: those yet to sign, the one that signs, and those whose tokens may still live.

    Args:
        keys: all, newest first.
        now: the cloud's present.
    """
    limit = clock.to_text(now - LONGEST)
    return [key for at, key in enumerate(keys) if at == 0 or keys[at - 1].created > limit]


def current(transaction: Transaction) -> tokens.SigningKey:
    """Return the key to sign with; a writing transaction makes the next one when it is time."""
    keys, now = tokens.signing_keys(transaction.session), transaction.now()
    found = signing(keys, now)
    if found is None:
        return add(transaction, now)
    if transaction.writes and keys[0].created < clock.to_text(now - AGE + NOTICE):
        add(transaction, now + NOTICE)
    return found


def rotate(transaction: Transaction, *, forget: bool = False) -> tokens.SigningKey:
    """Sign with a new key from now on.

    Args:
        transaction: a writing one.
        forget: delete the older keys at once, as after a theft; their tokens are then good nowhere.
    """
    if forget:
        for key in tokens.signing_keys(transaction.session):
            transaction.session.delete(key)
        transaction.session.flush()
    return add(transaction, transaction.now())


def add(transaction: Transaction, begins: datetime) -> tokens.SigningKey:
    """Make a key that signs from a moment on, and delete those that verify nothing any more."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    plain = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate = _certificate(private)
    # Entra's kid is its x5t: the SHA-1 of the certificate (RFC 7517 section 4.8).
    kid = encode(hashlib.sha1(certificate, usedforsecurity=False).digest())
    made = tokens.SigningKey(
        kid=kid, created=clock.to_text(begins), public_pem=public.decode(),
        private_sealed=transaction.vault.encrypt(plain, f"signing-key:{kid}"),
        certificate=base64.b64encode(certificate).decode(),
    )  # fmt: skip
    keys = sorted([made, *tokens.signing_keys(transaction.session)], key=lambda key: key.created, reverse=True)
    kept = published(keys, transaction.now())
    for key in keys:
        if key not in kept:
            transaction.session.delete(key)
    transaction.session.add(made)
    transaction.session.flush()
    return made


def _certificate(key: RSAPrivateKey) -> bytes:
    """Return a certificate of its own for a key: clients that verify with ``x5c`` want one (RFC 7517 section 4.7)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _ISSUER)])
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGINNING).not_valid_after(_END)
    )  # fmt: skip
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def private_key(vault: Vault, row: tokens.SigningKey) -> RSAPrivateKey:
    """Return the private half of a key, opened once a process.

    Raises:
        azext_trust.server.store.errors.VaultKeyError: the vault's key file is another one.
    """
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

    known = _loaded.get((row.kid, row.private_sealed))
    if known is None:
        plain = vault.decrypt(row.private_sealed, f"signing-key:{row.kid}")
        # States founded by older versions hold PEM.
        loaded = (load_pem_private_key if plain.startswith(b"-----") else load_der_private_key)(plain, None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        known = _loaded[(row.kid, row.private_sealed)] = loaded
    return known
