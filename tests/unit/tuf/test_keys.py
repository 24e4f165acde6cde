"""Keys, ids, signatures and root certificates of notary."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_trust.tuf import certificates, keys
from azext_trust.tuf.errors import AmbiguousMetadata, MalformedMetadata, UnusableKey
from azext_trust.tuf.keys import PrivateKey, PublicKey
from tests.trust import GUN, NOW

ECDSA = keys.generate()
RSA = keys.generate(keys.RSA)
ED25519 = keys.generate(keys.ED25519)


@pytest.mark.parametrize(
    ("key", "method", "size"), [(ECDSA, "ecdsa", 64), (RSA, "rsapss", 384), (ED25519, "eddsa", 64)]
)
def test_signatures(key: PrivateKey, method: str, size: int) -> None:
    """M16: each kind signs with notary's method, and only the message it signed verifies."""
    named, signature = key.sign(b"message")
    assert (named, len(signature)) == (method, size)
    assert key.public.verify(method.upper(), signature, b"message")
    assert not key.public.verify(method, signature, b"another")


@given(st.binary(max_size=96))
@settings(max_examples=50)
def test_arbitrary_signatures(signature: bytes) -> None:
    """M16: no bytes verify by accident, and none raise."""
    for key in (ECDSA, ED25519):
        for method in ("ecdsa", "rsapss", "rsapkcs1v15", "eddsa", "none", ""):
            assert not key.public.verify(method, signature, b"message")


def test_method_of_another_kind() -> None:
    """M16: a signature's method must fit the key's kind."""
    _, signature = ECDSA.sign(b"message")
    assert not PublicKey(keys.RSA, ECDSA.public.public).verify("ecdsa", signature, b"message")
    assert not PublicKey("unknown", ECDSA.public.public).verify("ecdsa", signature, b"message")


def test_pkcs1() -> None:
    """M16: PKCS#1 v1.5 signatures are verified, as the reference does, and never made."""
    assert isinstance(RSA.material, rsa.RSAPrivateKey)
    signature = RSA.material.sign(b"message", padding.PKCS1v15(), hashes.SHA256())
    assert RSA.public.verify("rsapkcs1v15", signature, b"message")
    assert not RSA.public.verify("rsapss", signature, b"message")


def test_short_rsa() -> None:
    """M16: RSA keys below 2048 bits do not count."""
    short = PrivateKey(rsa.generate_private_key(65537, 1024))
    method, signature = short.sign(b"message")
    assert not short.public.verify(method, signature, b"message")


def test_der_signature() -> None:
    """M16: ecdsa signatures in DER, as other tools write them, are not notary's."""
    assert isinstance(ECDSA.material, ec.EllipticCurvePrivateKey)
    signature = ECDSA.material.sign(b"message", ec.ECDSA(hashes.SHA256()))
    assert not ECDSA.public.verify("ecdsa", signature, b"message")


def test_key_id() -> None:
    """M16: an id is the digest of the canonical key."""
    public = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + bytes(range(64))
    text = f'{{"keytype":"ecdsa","keyval":{{"private":null,"public":"{base64.b64encode(public).decode()}"}}}}'
    assert PublicKey(keys.ECDSA, public).id == hashlib.sha256(text.encode()).hexdigest()
    assert PublicKey.from_dict(json.loads(text)) == PublicKey(keys.ECDSA, public)


@pytest.mark.parametrize(
    "value",
    [None, {}, {"keytype": "ecdsa"}, {"keytype": 1, "keyval": {"public": ""}}, {"keytype": "ecdsa", "keyval": {}},
     {"keytype": "ecdsa", "keyval": {"public": "%"}}, {"keytype": "ecdsa", "keyval": []}],
)  # fmt: skip
def test_malformed(value: object) -> None:
    """M16: what is no key is refused."""
    with pytest.raises(MalformedMetadata):
        PublicKey.from_dict(value)


def test_ambiguous() -> None:
    """M16: Go would take Keytype for keytype."""
    with pytest.raises(AmbiguousMetadata):
        PublicKey.from_dict({"keytype": "ecdsa", "Keytype": "rsa", "keyval": {"public": ""}})


@pytest.mark.parametrize("key", [ECDSA, RSA])
def test_certificate(key: PrivateKey) -> None:
    """M16: a root key's certificate is docker's: name, ten years, usages; it verifies with the key inside."""
    root = certificates.make(key, GUN, NOW)
    found = certificates.leaf(root)
    assert certificates.common_name(found) == GUN
    assert found.not_valid_after_utc - found.not_valid_before_utc == timedelta(days=3650)
    assert found.extensions.get_extension_for_class(x509.KeyUsage).critical
    assert certificates.flaw(root, GUN, NOW) == ""
    assert root.canonical_id == key.id != root.id
    assert root.verify(*key.sign(b"message"), b"message")


def test_certificates_differ() -> None:
    """M16: two initialisations with one key have different root keys."""
    assert certificates.make(ECDSA, GUN, NOW).id != certificates.make(ECDSA, GUN, NOW).id


def test_ed25519_cannot_be_a_root() -> None:
    """M16: notary has no certificates around ed25519 keys."""
    with pytest.raises(UnusableKey):
        certificates.make(ED25519, GUN, NOW)


def test_long_name() -> None:
    """M16: repositories whose names exceed the 64 characters of X.520 have root certificates too."""
    gun = "myregistry.azurecr.io/" + "a" * 100
    assert certificates.flaw(certificates.make(ECDSA, gun, NOW), gun, NOW) == ""


def custom(name: str, days: int = 10, usage: bool = True, **options: object) -> PublicKey:
    """Make a certificate that differs from docker's."""
    assert isinstance(ECDSA.material, ec.EllipticCurvePrivateKey)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(ECDSA.material.public_key())
        .serial_number(1).not_valid_before(NOW - timedelta(days=20)).not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=bool(options.get("ca")), path_length=None), critical=True)
    )  # fmt: skip
    purpose = ExtendedKeyUsageOID.CODE_SIGNING if usage else ExtendedKeyUsageOID.SERVER_AUTH
    made = made.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    pem = made.sign(ECDSA.material, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return PublicKey(keys.ECDSA_X509, pem)


@pytest.mark.parametrize("name", [GUN, "myregistry.azurecr.io/*", "myregistry.azurecr.io/team*", "*"])
def test_names_that_speak(name: str) -> None:
    """M16: a common name is the repository's, or a beginning of it with a star."""
    assert certificates.flaw(custom(name), GUN, NOW) == ""


@pytest.mark.parametrize("name", ["myregistry.azurecr.io", "other.azurecr.io/*", GUN + "x", GUN.upper(), "a*b"])
def test_names_that_do_not(name: str) -> None:
    """M16: others speak for other repositories."""
    assert certificates.flaw(custom(name), GUN, NOW)


def test_flaws() -> None:
    """M16: expired, of another purpose, an authority: none of them speaks."""
    assert "expired" in certificates.flaw(custom(GUN, -1), GUN, NOW)
    assert certificates.flaw(custom(GUN, -1), GUN, None) == ""
    assert "usage" in certificates.flaw(custom(GUN, usage=False), GUN, NOW)
    assert certificates.flaw(custom(GUN, ca=True), GUN, NOW)
    assert certificates.flaw(ECDSA.public, GUN, NOW)


def test_not_yet_valid() -> None:
    """M16: a certificate may be one day too young, not two: clocks differ."""
    made = certificates.make(ECDSA, GUN, NOW)
    assert certificates.flaw(made, GUN, NOW - timedelta(hours=23)) == ""
    assert certificates.flaw(made, GUN, NOW - timedelta(days=2))


def test_public_files() -> None:
    """M18: public keys are read as docker writes them, with a header, and certificates too."""
    from azext_trust.signing import pem

    assert keys.load_public_pem(pem.public_block(ECDSA, "alice").to_bytes()) == ECDSA.public
    root = certificates.make(ECDSA, GUN, NOW)
    assert keys.load_public_pem(root.public) == root
    with pytest.raises(UnusableKey):
        keys.load_public_pem(b"nothing")
