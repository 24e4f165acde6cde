"""The reference notary-server, and docker and notary as its clients, each with files of its own."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from azext_trust.clients.notary import Notary
from azext_trust.server.gate.call import Reply
from azext_trust.signing.draft import Repository
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.passphrases import Passphrases
from tests.conftest import SEED
from tests.notary_service import Served, serving
from tests.sockets import free_port

PASSPHRASE = "correct-horse-1"
_NAMES = (
    "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "NOTARY_ROOT_PASSPHRASE",
    "NOTARY_TARGETS_PASSPHRASE", "NOTARY_SNAPSHOT_PASSPHRASE", "NOTARY_DELEGATION_PASSPHRASE",
)  # fmt: skip
VARIABLES = dict.fromkeys(_NAMES, PASSPHRASE)


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class NotaryServer:
    """A running Notary server.

    Attributes:
        port: where it listens, on 127.0.0.1.
        ca: its certificate, to be trusted.
        host: the registry's part of the names of its repositories.
    """

    port: int
    ca: Path
    host: str = "registry.example"

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://localhost:{self.port}"


@contextmanager
def notary_server(directory: Path) -> Iterator[NotaryServer]:
    """Run Debian's notary-server with TLS, without sign-in, its data and keys in memory, until the block ends."""
    port = free_port()
    _certificate(directory)
    config = {
        "server": {
            "http_addr": f"127.0.0.1:{port}", "tls_cert_file": str(directory / "server.crt"),
            "tls_key_file": str(directory / "server.key"),
        },
        "trust_service": {"type": "local", "hostname": "", "port": "", "key_algorithm": "ecdsa"},
        "storage": {"backend": "memory"}, "logging": {"level": "error"},
    }  # fmt: skip
    (directory / "server.json").write_text(json.dumps(config))
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen(
            ["notary-server", "-config", str(directory / "server.json")], stdout=log, stderr=log, cwd=directory
        )
    try:
        served = NotaryServer(port, directory / "server.crt")
        _wait(served, process, directory / "server.log")
        yield served
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def our_server(directory: Path) -> Iterator[NotaryServer]:
    """Serve our Notary service with TLS, without sign-in, on a state of its own, until the block ends."""
    port = free_port()
    _certificate(directory)
    seed = SEED.replace("name: myregistry,", "name: localhost,").replace("scope: myregistry", "scope: localhost")
    (directory / "seed.yaml").write_text(seed)
    with serving(directory / "state", directory / "seed.yaml", "localhost") as served:
        served.host = f"localhost:{port}"
        listener = ThreadingHTTPServer(("127.0.0.1", port), _handler(served))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "server.crt", directory / "server.key")
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        thread = threading.Thread(target=listener.serve_forever, daemon=True)
        thread.start()
        try:
            yield NotaryServer(port, directory / "server.crt", f"localhost:{port}")
        finally:
            listener.shutdown()
            listener.server_close()
            thread.join(10)


def _handler(served: Served) -> type[BaseHTTPRequestHandler]:
    """Return what passes requests on to the service, and answers the ping as a server without sign-in does."""

    class Handler(BaseHTTPRequestHandler):
        """Passes one request on."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = self._chunked()
            reply = Reply({}) if self.path == "/v2/" else served.call(
                self.command, self.path, body, content_type=self.headers.get("Content-Type", "")
            )  # fmt: skip
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body or {}).encode()
            self.send_response(reply.status)
            for name, value in {**reply.headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _chunked(self) -> bytes:
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        do_GET = do_POST = do_DELETE = do_PUT = do_HEAD = answer

    return Handler


def _wait(served: NotaryServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = monotonic() + 30
    while True:
        try:
            requests.get(f"{served.url}/v2/", verify=str(served.ca), timeout=5)
            return
        except requests.RequestException as error:
            if process.poll() is not None or monotonic() > deadline:
                pytest.fail(f"notary-server did not get ready: {error}\n{log.read_text()}")
            sleep(0.05)


def _certificate(directory: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (directory / "server.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (directory / "server.key").write_bytes(pem)
    (directory / "server.key").chmod(0o600)


@dataclass(frozen=True)
class Person:
    """Somebody with a docker configuration, used through docker, notary and aztrust's own code alike.

    Attributes:
        home: the directory.
        served: the notary-server.
    """

    home: Path
    served: NotaryServer

    @classmethod
    def in_directory(cls, home: Path, served: NotaryServer) -> Person:
        """Make the configuration: docker's trust in the server's certificate, and notary's."""
        trusted = home / "docker" / "tls" / f"localhost:{served.port}"
        trusted.mkdir(parents=True)
        (trusted / "ca.crt").write_bytes(served.ca.read_bytes())
        return cls(home, served)

    @property
    def trust(self) -> Path:
        """The trust directory that all three use."""
        return self.home / "docker" / "trust"

    def name(self, repository: str) -> str:
        """Return a repository's name with its registry."""
        return f"{self.served.host}/{repository}"

    def run(self, *command: str, answer: str = "") -> Done:
        """Run a program without a terminal."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "DOCKER_CONFIG": str(self.home / "docker"),
            "DOCKER_CONTENT_TRUST_SERVER": self.served.url, "DOCKER_HOST": "unix:///nowhere", **VARIABLES,
        }  # fmt: skip
        done = subprocess.run(
            command,
            env=environment,
            input=answer,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=self.home,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def docker(self, *arguments: str) -> str:
        """Run docker; fail the test with all it said when it fails."""
        return self._must(os.environ.get("AZTRUST_TEST_DOCKER", "/usr/bin/docker"), *arguments)

    def notary(self, *arguments: str, answer: str = "") -> str:
        """Run notary on the same keys and cache; fail the test when it fails."""
        options = ("-s", self.served.url, "-d", str(self.trust), "--tlscacert", str(self.served.ca))
        return self._must("notary", *options, *arguments, answer=answer)

    def _must(self, *command: str, answer: str = "") -> str:
        done = self.run(*command, answer=answer)
        assert done.code == 0, f"{command}: exit {done.code}\n{done.out}\n{done.err}"
        return done.out

    def inspect(self, name: str) -> dict[str, object]:
        """Return what ``docker trust inspect`` prints of a repository."""
        found: list[dict[str, object]] = json.loads(self.docker("trust", "inspect", name))
        return found[0]

    def ours(self, name: str) -> Repository:
        """Return the same repository for aztrust's own code, with the same keys and cache."""
        session = requests.Session()
        session.verify = str(self.served.ca)
        session.trust_env = False
        store = KeyStore(self.trust, Passphrases(environment=VARIABLES))
        return Repository.of(
            Notary(session, self.served.url, f"{self.served.host}/{name}"), store, lambda: datetime.now(UTC)
        )
