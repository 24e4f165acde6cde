"""Keys and signatures of notary: ecdsa, rsa, ed25519, and certificates around the first two (section 5)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from azext_trust.tuf import canonical
from azext_trust.tuf.errors import MalformedMetadata, UnusableKey

ECDSA, RSA, ED25519, ECDSA_X509, RSA_X509 = "ecdsa", "rsa", "ed25519", "ecdsa-x509", "rsa-x509"
MIN_RSA_BITS = 2048

PublicMaterial = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
PrivateMaterial = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_KEY = frozenset({"keytype", "keyval"})
_KEYVAL = frozenset({"public", "private"})


@dataclass(frozen=True)
class PublicKey:
    """A public key as metadata name it.

    Attributes:
        kind: ``ecdsa``, ``rsa``, ``ed25519``, ``ecdsa-x509``, ``rsa-x509``; others are kept and never verify.
        public: SubjectPublicKeyInfo in DER; the raw 32 bytes for ed25519; the certificates in PEM for the x509 kinds.
    """

    kind: str
    public: bytes

    @cached_property
    def id(self) -> str:
        """The SHA-256 of the canonical form, hex."""
        return hashlib.sha256(canonical.encode(self.to_dict())).hexdigest()

    @property
    def canonical_id(self) -> str:
        """The id without the certificate around the key: under it the private key is filed.

        Raises:
            UnusableKey: the certificate cannot be read.
        """
        return self.bare().id

    def bare(self) -> PublicKey:
        """Return the key without the certificate around it.

        Raises:
            UnusableKey: the certificate cannot be read.
        """
        return of_material(material(self)) if self.kind in (ECDSA_X509, RSA_X509) else self

    @classmethod
    def from_dict(cls, value: Any) -> PublicKey:
        """Read a key as metadata and key endpoints write it.

        Raises:
            MalformedMetadata: it has another form.
        """
        if not isinstance(value, dict) or not isinstance(value.get("keyval"), dict):
            raise MalformedMetadata("a key is no object with a keyval")
        canonical.check_spelling(value, _KEY)
        canonical.check_spelling(value["keyval"], _KEYVAL)
        if not isinstance(value.get("keytype"), str):
            raise MalformedMetadata("a key has no keytype")
        return cls(value["keytype"], unbase64(value["keyval"].get("public")))

    def to_dict(self) -> dict[str, Any]:
        """Return it as metadata write it; its canonical form is what the id is made from."""
        return {"keytype": self.kind, "keyval": {"private": None, "public": base64.b64encode(self.public).decode()}}

    def verify(self, method: str, signature: bytes, message: bytes) -> bool:
        """Tell whether a signature is this key's over the message.

        Args:
            method: the signature's ``method``; case is ignored, as the reference does.
            signature: raw bytes; for ecdsa r and s, each as long as the curve's field.
            message: what was signed.
        """
        check = _METHODS.get(method.lower())
        if check is None or self.kind not in check[0]:
            return False
        try:
            return check[1](material(self), signature, message)
        except (UnusableKey, InvalidSignature):
            return False


def unbase64(text: Any) -> bytes:
    """Return the bytes of a base64 text as Go reads it: padded, line breaks ignored.

    Raises:
        MalformedMetadata: it is no such text.
    """
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (AttributeError, ValueError, binascii.Error):
        raise MalformedMetadata("a member is no base64 text") from None


@lru_cache(maxsize=1024)
def material(key: PublicKey) -> PublicMaterial:
    """Return a key ready to verify with.

    Raises:
        UnusableKey: it cannot be read, or it is of a kind that does not fit.
    """
    try:
        if key.kind == ED25519:
            return ed25519.Ed25519PublicKey.from_public_bytes(key.public)
        if key.kind in (ECDSA_X509, RSA_X509):
            found: object = x509.load_pem_x509_certificate(key.public).public_key()
        else:
            found = serialization.load_der_public_key(key.public)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey(f"a key of kind {key.kind} cannot be read: {error}") from None
    if key.kind.startswith(ECDSA) and isinstance(found, ec.EllipticCurvePublicKey):
        return found
    if key.kind.startswith(RSA) and isinstance(found, rsa.RSAPublicKey):
        return found
    raise UnusableKey(f"a key of kind {key.kind} is something else")


def of_material(found: PublicMaterial) -> PublicKey:
    """Return a public key as metadata name it, without a certificate."""
    if isinstance(found, ed25519.Ed25519PublicKey):
        return PublicKey(ED25519, found.public_bytes_raw())
    kind = ECDSA if isinstance(found, ec.EllipticCurvePublicKey) else RSA
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return PublicKey(kind, found.public_bytes(serialization.Encoding.DER, form))


def _ecdsa(key: PublicMaterial, signature: bytes, message: bytes) -> bool:
    assert isinstance(key, ec.EllipticCurvePublicKey)
    half = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * half:
        return False
    r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
    key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    return True


def _rsa(key: PublicMaterial, signature: bytes, message: bytes, scheme: padding.AsymmetricPadding) -> bool:
    assert isinstance(key, rsa.RSAPublicKey)
    if key.key_size < MIN_RSA_BITS:
        return False
    key.verify(signature, message, scheme, hashes.SHA256())
    return True


def _rsa_pss(key: PublicMaterial, signature: bytes, message: bytes) -> bool:
    return _rsa(key, signature, message, _PSS)


def _rsa_pkcs1(key: PublicMaterial, signature: bytes, message: bytes) -> bool:
    return _rsa(key, signature, message, padding.PKCS1v15())


def _eddsa(key: PublicMaterial, signature: bytes, message: bytes) -> bool:
    assert isinstance(key, ed25519.Ed25519PublicKey)
    key.verify(signature, message)
    return True


_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
_METHODS = {
    "ecdsa": ((ECDSA, ECDSA_X509), _ecdsa), "rsapss": ((RSA, RSA_X509), _rsa_pss),
    "rsapkcs1v15": ((RSA, RSA_X509), _rsa_pkcs1), "eddsa": ((ED25519,), _eddsa),
}  # fmt: skip
"""Signature methods: the kinds of key they take and the check (notary tuf/signed/verifiers.go)."""


@dataclass(frozen=True)
class PrivateKey:
    """A private key. It signs for its bare public key, and for every certificate around that."""

    material: PrivateMaterial

    @cached_property
    def public(self) -> PublicKey:
        """The bare public key."""
        return of_material(self.material.public_key())

    @property
    def id(self) -> str:
        """The bare public key's id: the name of the key's file."""
        return self.public.id

    def sign(self, message: bytes) -> tuple[str, bytes]:
        """Sign a message.

        Returns:
            the method's name and the signature's bytes.
        """
        if isinstance(self.material, ed25519.Ed25519PrivateKey):
            return "eddsa", self.material.sign(message)
        if isinstance(self.material, rsa.RSAPrivateKey):
            return "rsapss", self.material.sign(message, _PSS, hashes.SHA256())
        half = (self.material.curve.key_size + 7) // 8
        r, s = utils.decode_dss_signature(self.material.sign(message, ec.ECDSA(hashes.SHA256())))
        return "ecdsa", r.to_bytes(half) + s.to_bytes(half)


def generate(kind: str = ECDSA) -> PrivateKey:
    """Make a new key pair.

    Args:
        kind: ``ecdsa`` (P-256, what docker and notary make), ``ed25519`` or ``rsa`` (3072 bits).
    """
    if kind == ED25519:
        return PrivateKey(ed25519.Ed25519PrivateKey.generate())
    if kind == RSA:
        return PrivateKey(rsa.generate_private_key(65537, 3072))
    return PrivateKey(ec.generate_private_key(ec.SECP256R1()))


def load_public_pem(data: bytes) -> PublicKey:
    """Read a public key or a certificate in PEM, as ``docker trust signer add --key`` takes it.

    Raises:
        UnusableKey: it is neither, or of a kind notary has no name for.
    """
    try:
        if b"BEGIN CERTIFICATE" in data:
            found: object = x509.load_pem_x509_certificate(data).public_key()
            kind = {ec.EllipticCurvePublicKey: ECDSA_X509, rsa.RSAPublicKey: RSA_X509}
            for base, name in kind.items():
                if isinstance(found, base):
                    return PublicKey(name, pem_again(data))
        else:
            found = serialization.load_pem_public_key(_without_headers(data))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey(f"no valid public key found: {error}") from None
    if isinstance(found, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey, ed25519.Ed25519PublicKey)):
        return of_material(found)
    raise UnusableKey("unknown public key format")


def pem_again(data: bytes) -> bytes:
    """Return the first certificate of a PEM text as Go's encoder writes it: the key's id depends on every byte."""
    return x509.load_pem_x509_certificate(data).public_bytes(serialization.Encoding.PEM)


def _without_headers(data: bytes) -> bytes:
    # docker writes a "role:" header into .pub files (RFC 1421), which OpenSSL's reader refuses.
    lines = data.splitlines()
    return b"\n".join(line for line in lines if b": " not in line and line.strip()) + b"\n"


def same_material(keys: Mapping[str, PublicKey]) -> dict[str, str]:
    """Return for each key id the id of the bare key: certificates around one key are one key.

    Args:
        keys: key id to key; those that cannot be read stand for themselves.
    """
    found = {}
    for key_id, key in keys.items():
        try:
            found[key_id] = key.canonical_id
        except UnusableKey:
            found[key_id] = key_id
    return found
