"""Root keys travel in self-signed certificates whose common name is the repository's name (section 5)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, SignatureAlgorithmOID

from azext_trust.tuf import der, keys
from azext_trust.tuf.errors import UnusableKey
from azext_trust.tuf.keys import PrivateKey, PublicKey

LIFETIME = timedelta(days=3650)
"""Ten years of notary, which have 365 days each."""
_EXPLICIT_VERSION = 0xA0
_EARLY = timedelta(days=1)
"""A certificate may be this much too young: clocks differ (notary tuf/utils/x509.go)."""

_SHA1 = frozenset(
    {SignatureAlgorithmOID.RSA_WITH_SHA1, SignatureAlgorithmOID.DSA_WITH_SHA1, SignatureAlgorithmOID.ECDSA_WITH_SHA1}
)


def make(key: PrivateKey, gun: str, now: datetime) -> PublicKey:
    """Return a root key for a repository: a new self-signed certificate around the key.

    Each call gives another certificate, hence another key id, as each initialisation of docker does.

    Args:
        key: an ecdsa or rsa key.
        gun: the repository's name, which becomes the common name.
        now: when it begins.

    Raises:
        UnusableKey: an ed25519 key cannot stand in a notary certificate.
    """
    if key.public.kind == keys.ED25519:
        raise UnusableKey("an ed25519 key cannot be a root key")
    with warnings.catch_warnings():
        # X.520 ends common names after 64 characters; docker goes on, and so do names of repositories.
        warnings.simplefilter("ignore")
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, gun, _validate=False)])
    # Whole seconds: X.509 has no finer ones.
    start = now.astimezone(UTC).replace(microsecond=0)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.material.public_key())
        .serial_number(x509.random_serial_number() >> 31 or 1)
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    certificate = made.sign(key.material, hashes.SHA256())
    kind = keys.RSA_X509 if key.public.kind == keys.RSA else keys.ECDSA_X509
    return PublicKey(kind, certificate.public_bytes(serialization.Encoding.PEM))


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=True, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def leaf(key: PublicKey) -> x509.Certificate:
    """Return the certificate of a root key: the first of its bundle, and the only one that is no authority.

    Raises:
        UnusableKey: the bundle cannot be read or is built otherwise.
    """
    try:
        bundle = x509.load_pem_x509_certificates(key.public)
        leaves = [certificate for certificate in bundle if not _is_authority(certificate)]
    except ValueError as error:
        raise UnusableKey(f"no certificate: {error}") from None
    if len(leaves) != 1 or leaves[0] is not bundle[0]:
        raise UnusableKey("a root key needs one certificate that is no authority, and that one first")
    return leaves[0]


def valid_root_keys(held: Mapping[str, PublicKey], gun: str, now: datetime | None) -> dict[str, PublicKey]:
    """Return those keys whose certificates may speak for a repository.

    Args:
        held: key id to key.
        gun: the repository's name; a common name may end in ``*`` and then covers what begins like it.
        now: for expiry; None leaves it unchecked, for a root that is trusted already.
    """
    return {key_id: key for key_id, key in held.items() if not flaw(key, gun, now)}


def flaw(key: PublicKey, gun: str, now: datetime | None) -> str:
    """Return why a root key's certificate may not speak for a repository, empty when it may.

    Expiry, digest, length of an RSA key and the name are the reference's checks; that key usage and extended key
    usage, where a certificate has them, must allow signing code is RFC 5280 section 4.2.1.12 taken at its word.
    """
    try:
        certificate = leaf(key)
        keys.material(key)
    except UnusableKey as error:
        return str(error)
    if not _names(certificate, gun):
        return f"the common name is not {gun}"
    return weakness(certificate, now) or _misuse(certificate)


def weakness(certificate: x509.Certificate, now: datetime | None) -> str:
    """Return what makes a certificate too weak or out of date, empty when nothing does (ValidateCertificate)."""
    if certificate.not_valid_before_utc > certificate.not_valid_after_utc:
        return "certificate validity window is invalid"
    if certificate.signature_algorithm_oid in _SHA1:
        return "it is signed with SHA-1"
    public = certificate.public_key()
    if isinstance(public, rsa.RSAPublicKey) and public.key_size < keys.MIN_RSA_BITS:
        return "RSA bit length is too short"
    if now and not certificate.not_valid_before_utc <= now + _EARLY:
        return "it is not valid yet"
    if now and now > certificate.not_valid_after_utc:
        return "it is expired"
    return ""


def _names(certificate: x509.Certificate, gun: str) -> bool:
    common = common_name(certificate)
    return gun.startswith(common.rstrip("*")) if common.endswith("*") else common == gun


_COMMON_NAME = der.oid("2.5.4.3")


def common_name(certificate: x509.Certificate) -> str:
    """Return the common name, empty when there is none.

    Read by hand: `cryptography` warns of each name that is longer than 64 characters, on stderr.
    """
    try:
        parts = der.read(certificate.tbs_certificate_bytes)[0].children()
        subject = parts[5 if parts[0].tag == _EXPLICIT_VERSION else 4]
        for attribute in (one for group in subject.children() for one in group.children()):
            kind, value = attribute.children()
            if der.write(kind.tag, kind.content) == _COMMON_NAME:
                return value.content.decode()
    except (der.DerError, IndexError, ValueError):
        return ""
    return ""


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _misuse(certificate: x509.Certificate) -> str:
    try:
        extensions = certificate.extensions
    except ValueError as error:
        return f"its extensions cannot be read: {error}"
    for extension in extensions:
        if isinstance(extension.value, x509.KeyUsage) and not extension.value.digital_signature:
            return "its key usage does not allow signatures"
        if isinstance(extension.value, x509.ExtendedKeyUsage) and not {
            ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        }.intersection(extension.value):  # fmt: skip
            return "its extended key usage does not allow signing code"
    return ""
