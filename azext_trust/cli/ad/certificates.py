"""Certificates as credentials: read, or made by ourselves."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust import home

logger = get_logger(__name__)


@dataclass(frozen=True)
class Certificate:
    """A certificate.

    Attributes:
        der: the certificate, DER.
        start: when it begins to be valid.
        end: when it ceases to be.
        file: where its private key was written, or empty.
    """

    der: bytes
    start: datetime
    end: datetime
    file: str = ""


def read(text: str) -> Certificate:
    """Return a certificate given as PEM, or as base64 of its DER.

    Raises:
        CLIError: it is neither.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        if "-----BEGIN" in text:
            loaded = x509.load_pem_x509_certificate(text.encode())
        else:
            loaded = x509.load_der_x509_certificate(base64.b64decode(text))
    except ValueError:
        raise CLIError("Invalid certificate: PEM, or @FILE of it, is needed.") from None
    return Certificate(loaded.public_bytes(Encoding.DER), loaded.not_valid_before_utc, loaded.not_valid_after_utc)


def created(end: datetime) -> Certificate:
    """Make a self-signed certificate; it is written with its private key to the home directory, for its owner only."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "aztrust")])
    start = datetime.now(UTC).replace(microsecond=0)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(start).not_valid_after(end).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.public_bytes(serialization.Encoding.PEM)
    path = Path.home() / f"tmp{uuid.uuid4().hex[:8]}.pem"
    home.write_private(path, pem)
    logger.warning("Please copy %s to a safe place. When you run 'aztrust login', provide the file path in the --certificate "
                   "argument", path)  # fmt: skip
    return Certificate(made.public_bytes(serialization.Encoding.DER), start, end, str(path))


def key_credential(certificate: Certificate, end: datetime, name: str | None = None) -> dict[str, Any]:
    """Return the certificate as Graph takes it (keyCredential resource type)."""
    found = {
        "type": "AsymmetricX509Cert", "usage": "Verify", "keyId": str(uuid.uuid4()),
        "key": base64.b64encode(certificate.der).decode(),
        "startDateTime": certificate.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "endDateTime": min(end, certificate.end).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip
    return {**found, "displayName": name} if name else found
