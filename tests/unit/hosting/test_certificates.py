"""The cloud's own authority vouches for this cloud and nothing else."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from azext_trust.hosting import certificates
from azext_trust.hosting.certificates import Names

NAMES = Names.of("localhost", ["127.0.0.1"], "azurecr.io")


def answer_once(files: certificates.Files) -> int:
    """Serve one request over TLS on a free port, and return the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        plain = listening.accept()[0]
        with listening, plain, context.wrap_socket(plain, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    threading.Thread(target=serve, daemon=True).start()
    return int(listening.getsockname()[1])


def verify(authority: Path, *arguments: str) -> tuple[int, str]:
    """Run ``openssl verify``; return its exit code and what it said."""
    command = ["openssl", "verify", "-CAfile", str(authority), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_requests_accepts(tmp_path: Path, host: str) -> None:
    """M29: requests, which az uses, accepts the certificate by name and by address."""
    files, _ = certificates.ensure(tmp_path, NAMES)
    got = requests.get(f"https://{host}:{answer_once(files)}/", verify=str(files.ca), timeout=10)
    assert got.text == "ok"


@pytest.mark.parametrize("name", ["localhost", "myregistry.azurecr.io"])
def test_openssl_accepts(tmp_path: Path, name: str) -> None:
    """M29: openssl accepts it strictly, for the cloud and for login servers."""
    files, _ = certificates.ensure(tmp_path, NAMES)
    code, said = verify(files.ca, "-x509_strict", "-verify_hostname", name, str(files.certificate))
    assert code == 0, said


def test_other_names_are_refused(tmp_path: Path) -> None:
    """M29: what the authority signs for another name is refused, so trusting it is safe."""
    files, _ = certificates.ensure(tmp_path, NAMES)
    signer = serialization.load_pem_private_key(files.ca_key.read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
    now, key = datetime.now(UTC), ec.generate_private_key(ec.SECP256R1())
    elsewhere = x509.SubjectAlternativeName([x509.DNSName("login.microsoftonline.com")])
    forged = (
        x509.CertificateBuilder(authority.subject, x509.Name([]), key.public_key(), 1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(elsewhere, critical=True)
        .sign(signer, hashes.SHA256())
    )
    path = tmp_path / "forged.pem"
    path.write_bytes(forged.public_bytes(serialization.Encoding.PEM))
    code, said = verify(files.ca, str(path))
    assert code != 0
    assert "permitted subtree violation" in said


def test_kept_while_it_fits(tmp_path: Path) -> None:
    """M29: a second start keeps authority and certificate."""
    files, _ = certificates.ensure(tmp_path, NAMES)
    before = files.ca.read_bytes() + files.certificate.read_bytes()
    _, replaced = certificates.ensure(tmp_path, NAMES)
    assert not replaced
    assert files.ca.read_bytes() + files.certificate.read_bytes() == before


def test_new_names_new_authority(tmp_path: Path) -> None:
    """M29: other names need another authority, and the caller is told."""
    certificates.ensure(tmp_path, NAMES)
    other = Names.of("cloud.example", ["127.0.0.1", "::1"], "example.io")
    files, replaced = certificates.ensure(tmp_path, other)
    served = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = served.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert replaced
    assert names.get_values_for_type(x509.DNSName) == ["cloud.example", "localhost", "*.example.io"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_renewed_before_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M29: a certificate with under 30 days left is renewed; the authority stays."""
    monkeypatch.setattr(certificates, "LEAF_DAYS", certificates.RENEW_DAYS)
    files, _ = certificates.ensure(tmp_path, NAMES)
    authority, old = files.ca.read_bytes(), files.certificate.read_bytes()
    monkeypatch.undo()
    certificates.ensure(tmp_path, NAMES)
    assert files.ca.read_bytes() == authority
    assert files.certificate.read_bytes() != old


@pytest.mark.parametrize("broken", ["ca", "ca_key", "certificate", "key"])
def test_damaged_files_are_made_anew(tmp_path: Path, broken: str) -> None:
    """M29: half a file does not stop the server."""
    files, _ = certificates.ensure(tmp_path, NAMES)
    path: Path = getattr(files, broken)
    path.write_bytes(path.read_bytes()[:50])
    certificates.ensure(tmp_path, NAMES)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)


def test_keys_are_the_owners(tmp_path: Path) -> None:
    """M29: only the owner can read the keys."""
    files, _ = certificates.ensure(tmp_path, NAMES)
    assert {path.stat().st_mode & 0o777 for path in (files.ca_key, files.key)} == {0o600}
