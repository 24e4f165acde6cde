"""The cloud's own certificate authority, and the certificate it serves with.

The authority may sign for the names of this cloud only (RFC 5280 section 4.2.1.10), so that a machine that
trusts it risks nothing else.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from azext_trust import home

CA_DAYS = 3650
LEAF_DAYS = 397
"""Browsers refuse certificates that live longer."""
RENEW_DAYS = 30

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Names:
    """What the certificate is for.

    Attributes:
        hosts: DNS names of the cloud.
        addresses: IP addresses listened on.
        suffix: login servers are ``<registry>.<suffix>``.
    """

    hosts: tuple[str, ...]
    addresses: tuple[Address, ...]
    suffix: str

    @classmethod
    def of(cls, host: str, addresses: list[str], suffix: str) -> Names:
        """Return the names of a cloud published as `host`; `localhost` is always one of them."""
        listened = {ip_address(text) for text in addresses}
        hosts = {"localhost"}
        try:
            listened.add(ip_address(host))
        except ValueError:
            hosts.add(host.lower())
        ordered = sorted(listened, key=lambda address: (address.version, int(address)))
        return cls(tuple(sorted(hosts)), tuple(ordered), suffix.lower())

    def subjects(self) -> list[x509.GeneralName]:
        """Return the subject alternative names of the served certificate."""
        return [
            *(x509.DNSName(host) for host in self.hosts),
            x509.DNSName(f"*.{self.suffix}"),
            *(x509.IPAddress(address) for address in self.addresses),
        ]

    def permitted(self) -> list[x509.GeneralName]:
        """Return the subtrees the authority may sign in; a DNS subtree holds what lies below the name too."""
        networks: list[IPv4Network | IPv6Network] = [ip_network(address) for address in self.addresses]
        return [
            *(x509.DNSName(host) for host in self.hosts),
            x509.DNSName(self.suffix),
            *(x509.IPAddress(network) for network in networks),
        ]


@dataclass(frozen=True)
class Files:
    """Where the certificates lie in a cloud directory."""

    ca: Path
    ca_key: Path
    certificate: Path
    key: Path

    @classmethod
    def within(cls, state: Path) -> Files:
        """Return the files of the cloud directory `state`."""
        folder = state / "ca"
        return cls(folder / "ca.pem", folder / "ca.key", folder / "server.pem", folder / "server.key")


@dataclass(frozen=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ensure(state: Path, names: Names) -> tuple[Files, bool]:
    """Make what is missing, does not fit the names, or ends within 30 days.

    Args:
        state: the cloud directory.
        names: what the certificate must be good for.

    Returns:
        The files, and whether there was an authority before that is no longer the one in force.

    Raises:
        OSError: the directory cannot be written.
    """
    files = Files.within(state)
    home.private_dir(files.ca.parent)
    with _locked(files.ca.parent / ".lock"):
        authority = _load(files.ca, files.ca_key)
        replaced = False
        if authority is None or not _authority_fits(authority, names):
            replaced = authority is not None
            authority = _new_authority(names)
            _save(authority, files.ca, files.ca_key)
        leaf = _load(files.certificate, files.key)
        if leaf is None or not _leaf_fits(leaf, authority, names):
            _save(_new_leaf(authority, names), files.certificate, files.key)
    return files, replaced


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _load(certificate: Path, key: Path) -> _Pair | None:
    """Return the pair, or None when a file is missing, no PEM of its kind, or of another pair."""
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != loaded.public_key():
        return None
    return _Pair(loaded, private)


def _save(pair: _Pair, certificate: Path, key: Path) -> None:
    # Whatever ends this between the two files: a pair that does not match is made anew at the next start.
    form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    home.write_private(key, pair.key.private_bytes(serialization.Encoding.PEM, form, no_password))
    home.write_private(certificate, pair.certificate.public_bytes(serialization.Encoding.PEM))


def _lasts(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=RENEW_DAYS)


def _authority_fits(authority: _Pair, names: Names) -> bool:
    try:
        constraints = authority.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return False
    permitted = set(constraints.permitted_subtrees or ())
    return _lasts(authority.certificate) and permitted == set(names.permitted())


def _leaf_fits(leaf: _Pair, authority: _Pair, names: Names) -> bool:
    try:
        leaf.certificate.verify_directly_issued_by(authority.certificate)
        subjects = leaf.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return _lasts(leaf.certificate) and set(subjects) == set(names.subjects())


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        # A day back: the clocks of virtual machines and containers differ.
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=certificates, crl_sign=certificates,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _new_authority(names: Names) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    # A name of its own each time: two authorities of one name confuse trust stores.
    subject = _name(f"aztrust local CA {secrets.token_hex(4)}")
    built = (
        _builder(subject, subject, public, datetime.now(UTC) + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(x509.NameConstraints(names.permitted(), None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    return _Pair(built.sign(key, hashes.SHA256()), key)


def _new_leaf(authority: _Pair, names: Names) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, signer = authority.certificate, authority.key.public_key()
    until = min(datetime.now(UTC) + timedelta(days=LEAF_DAYS), issuer.not_valid_after_utc)
    built = (
        _builder(_name(names.hosts[0]), issuer.subject, key.public_key(), until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names.subjects()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )
    return _Pair(built.sign(authority.key, hashes.SHA256()), key)
