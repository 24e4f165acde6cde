"""A network and an /etc of one's own, and what runs in it: our cloud, the reference beside it, a docker engine.

The process that imports this has namespaces of its own already (`run`). The address is not loopback: there docker
would check no certificate.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from azext_trust.tuf import certificates
from azext_trust.tuf.keys import PrivateKey

ADDRESS = "10.99.0.1"
OURS, PEER = "myregistry.azurecr.io", "peer.azurecr.io"
REGISTRY, SERVER, MEMORY, TOKENS = 5443, 4443, 4444, 4445
"""Ports at the peer: its registry, its notary-server on PostgreSQL and in memory, its token service."""
SIGNER = ("66666666-6666-6666-6666-666666666666", "Sign-an-image-1")
OWNER = ("owner@contoso.com", "Own-the-cloud-1")
TENANT = "11111111-1111-1111-1111-111111111111"
SEED = f"""
tenant: {{id: {TENANT}, domain: contoso.com}}
users: [{{name: {OWNER[0]}, password: {OWNER[1]}, roles: [{{role: Owner}}]}}]
applications: [{{name: signer, appId: {SIGNER[0]}, secret: {SIGNER[1]}}}]
resourceGroups: [{{name: lab, location: westeurope}}]
registries:
  - {{name: myregistry, resourceGroup: lab, sku: Premium, contentTrust: enabled}}
  - {{name: other1, resourceGroup: lab, sku: Premium, contentTrust: enabled}}
assignments:
  - {{assignee: signer, role: AcrPush, scope: myregistry}}
  - {{assignee: signer, role: AcrImageSigner, scope: myregistry}}
  - {{assignee: signer, role: AcrPush, scope: other1}}
  - {{assignee: signer, role: AcrImageSigner, scope: other1}}
"""
PIDS: dict[str, int] = {}
"""Which process is ``ours``, ``postgres`` (the notary-server on it) and ``memory``."""
_SETUP = f"""
set -e
mount --make-rprivate /
mkdir -p $1/etc $1/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=$1/etc,workdir=$1/work /etc
printf '127.0.0.1 localhost\\n{ADDRESS} {OURS} {PEER} other1.azurecr.io\\n' >/etc/hosts
ip link set lo up
ip address add {ADDRESS}/32 dev lo
"""


def prepare(directory: Path) -> None:
    """Give the namespaces their names and addresses."""
    subprocess.run(["bash", "-c", _SETUP, "setup", directory], check=True)


@contextmanager
def running(log: Path, *command: object, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the end of the block."""
    with log.open("ab") as file:
        process = subprocess.Popen(list(map(str, command)), stdout=file, stderr=file, env={**os.environ, **env})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def wait(ready: Callable[[], bool], log: Path) -> None:
    """Wait until something is ready."""
    for _ in range(600):
        if ready():
            return
        time.sleep(0.1)
    sys.exit(f"not ready:\n{log.read_text()[-3000:]}")


@contextmanager
def ours(aztrust: Path, at: Path, *more: object) -> Iterator[Path]:
    """Serve our cloud and return its directory."""
    (at / "seed.yaml").write_text(SEED)
    state, ready, log = at / "state", at / "ready", at / "serve.log"
    ready.unlink(missing_ok=True)
    with running(
        log, aztrust, "serve", "--state", state, "--seed", at / "seed.yaml", "--ready-file", ready,
        "--listen", f"{ADDRESS}:443", "--listen", "127.0.0.1:443", "--only-show-errors", *more,
    ) as process:  # fmt: skip
        wait(ready.exists, log)
        PIDS["ours"] = process.pid
        yield state


# The reference


@dataclass
class Peer:
    """The reference's tokens.

    Attributes:
        directory: where its files lie.
        key: what its tokens are signed with.
        bundle: the certificate that its servers trust them by.
    """

    directory: Path
    key: PrivateKey
    bundle: Path

    @classmethod
    def at(cls, directory: Path) -> Peer:
        """Make a key."""
        from datetime import UTC, datetime

        from azext_trust.tuf import keys

        key = keys.generate()
        made = cls(directory, key, directory / "tokens.pem")
        made.bundle.write_bytes(certificates.make(key, "tokens", datetime.now(UTC)).public)
        return made

    def token(self, scopes: list[str]) -> str:
        """Return a token for all that is asked (Docker Registry v2 token specification)."""
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        claims = {"iss": "bench", "sub": "signer", "aud": "peer", "exp": now + 3600, "nbf": now - 10, "iat": now,
                  "jti": str(uuid.uuid4()), "access": access}  # fmt: skip
        chain = "".join(self.bundle.read_text().split("-----")[2].split())
        assert isinstance(self.key.material, ec.EllipticCurvePrivateKey)
        pem = self.key.material.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return jwt.encode(claims, pem.decode(), "ES256", headers={"x5c": [chain]})

    @contextmanager
    def service(self, state: Path) -> Iterator[None]:
        """Give tokens to docker: everything to everybody, at once; ours checks a password and roles."""
        peer = self

        class Handler(BaseHTTPRequestHandler):
            """Answers one request."""

            def do_GET(self) -> None:
                """Return a token for the scopes asked for."""
                asked = parse_qs(urlsplit(self.path).query).get("scope", [])
                body = json.dumps({"token": peer.token([one for text in asked for one in text.split()])}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        listener = ThreadingHTTPServer((ADDRESS, TOKENS), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(state / "ca" / "server.pem", state / "ca" / "server.key")
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            listener.shutdown()
            listener.server_close()

    @contextmanager
    def notary(self, state: Path, port: int, storage: dict[str, str]) -> Iterator[None]:
        """Run notary-server with TLS and tokens; it signs by itself, which spares it a notary-signer."""
        config = {
            "server": {"http_addr": f"{ADDRESS}:{port}", "tls_cert_file": str(state / "ca" / "server.pem"),
                       "tls_key_file": str(state / "ca" / "server.key")},
            "trust_service": {"type": "local", "hostname": "", "port": "", "key_algorithm": "ecdsa"},
            "storage": storage, "logging": {"level": "error"},
            "auth": {"type": "token", "options": {"realm": f"https://{PEER}:{TOKENS}/token", "service": "peer",
                                                  "issuer": "bench", "rootcertbundle": str(self.bundle)}},
        }  # fmt: skip
        file, log = self.directory / f"notary-{port}.json", self.directory / f"notary-{port}.log"
        file.write_text(json.dumps(config))
        with running(log, "notary-server", "-config", file) as process:
            PIDS[storage["backend"]] = process.pid
            time.sleep(2)
            yield

    @contextmanager
    def registry(self, state: Path) -> Iterator[None]:
        """Run docker-registry with TLS; it checks nothing."""
        config = {
            "version": "0.1", "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self.directory / "registry")}},
            "http": {"addr": f"{ADDRESS}:{REGISTRY}", "tls": {"certificate": str(state / "ca" / "server.pem"),
                                                              "key": str(state / "ca" / "server.key")}},
        }  # fmt: skip
        file = self.directory / "registry.yml"
        file.write_text(json.dumps(config))
        with running(self.directory / "registry.log", "docker-registry", "serve", file):
            time.sleep(1)
            yield


@contextmanager
def reference(at: Path, state: Path, postgres: str) -> Iterator[Peer]:
    """Run the reference: registry, token service, notary-server on PostgreSQL and another in memory."""
    peer = Peer.at(at)
    with ExitStack() as stack:
        url = f"postgres://aztrust@/notary?host={postgres}&sslmode=disable"
        stack.enter_context(peer.service(state))
        stack.enter_context(peer.registry(state))
        stack.enter_context(peer.notary(state, SERVER, {"backend": "postgres", "db_url": url}))
        stack.enter_context(peer.notary(state, MEMORY, {"backend": "memory"}))
        yield peer


@contextmanager
def engine(at: Path, state: Path) -> Iterator[dict[str, str]]:
    """Run a docker engine that trusts both; return the environment of its clients."""
    for host in (OURS, f"{PEER}:{REGISTRY}"):
        folder = Path("/etc/docker/certs.d") / host
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ca.crt").write_bytes((state / "ca" / "ca.pem").read_bytes())
    socket = f"unix://{at}/docker.sock"
    env = {"DOCKER_HOST": socket, "SSL_CERT_FILE": str(state / "ca" / "ca.pem"), "DOCKER_BUILDKIT": "0"}
    log = at / "docker.log"
    with running(
        log, "dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs",
        f"--data-root={at}/docker", f"--exec-root={at}/docker-exec", f"--pidfile={at}/docker.pid", f"--host={socket}",
    ):  # fmt: skip

        def ready() -> bool:
            return subprocess.run(["/usr/bin/docker", "version"], env={**os.environ, **env}, capture_output=True,
                                  check=False).returncode == 0  # fmt: skip

        wait(ready, log)
        yield env


def worked(server: str) -> float:
    """Return the seconds that a server's threads have been on a processor: no other program's work is in it."""
    tasks = Path(f"/proc/{PIDS[server]}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def ask(state: Path, method: str, url: str, body: Any = None, **headers: str) -> Any:
    """Send a request to our cloud and return the JSON of its answer."""
    import requests

    ca = str(state / "ca" / "ca.pem")
    form = body if isinstance(body, dict) and "grant_type" in body else None
    answer = requests.request(
        method, url, data=form, json=None if form else body, headers=headers, verify=ca, timeout=300
    )
    if answer.status_code >= 400:
        sys.exit(f"{method} {url}: {answer.status_code} {answer.text}")
    return answer.json()


def our_token(state: Path, host: str, scope: str) -> str:
    """Return a token of our token service."""
    basic = base64.b64encode(":".join(SIGNER).encode()).decode()
    url = f"https://{host}/oauth2/token?service={host}&scope={scope}"
    return str(ask(state, "GET", url, authorization=f"Basic {basic}")["access_token"])
