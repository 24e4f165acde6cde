"""Certificates that applications sign in with (keyCredential resource type)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid

from azext_trust.server.graph import errors
from azext_trust.server.store import clock, principals
from azext_trust.server.store.transaction import Transaction


def replace(transaction: Transaction, owner_id: str, keys: list[object]) -> None:
    """Set an object's certificates: those without a body are kept by their keyId, the others are new.

    Raises:
        ServiceError: a certificate cannot be read.
    """
    kept = {str(key.get("keyId")) for key in keys if isinstance(key, dict) and not key.get("key")}
    for row in principals.credentials(transaction.session, [owner_id], "certificate"):
        if row.id not in kept:
            transaction.session.delete(row)
    for key in keys:
        if isinstance(key, dict) and key.get("key"):
            transaction.session.add(certificate(owner_id, key))
    transaction.session.flush()


def certificate(owner_id: str, key: dict[str, object]) -> principals.Credential:
    """Return the credential that a keyCredential with a body makes, not yet added.

    Raises:
        ServiceError: the body is no certificate.
    """
    from cryptography import x509

    try:
        der = base64.b64decode(str(key["key"]))
        loaded = x509.load_der_x509_certificate(der)
    except (binascii.Error, ValueError):
        raise errors.bad_request("Key credential value is invalid: the key is no X.509 certificate.") from None
    thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    return principals.Credential(
        id=str(key.get("keyId") or uuid.uuid4()).lower(), owner_id=owner_id, kind="certificate",
        display_name=str(key.get("displayName") or loaded.subject.rfc4514_string()),
        start=clock.to_text(loaded.not_valid_before_utc), end=clock.to_text(loaded.not_valid_after_utc),
        properties={"der": base64.b64encode(der).decode(), "thumbprint": thumbprint},
    )  # fmt: skip
