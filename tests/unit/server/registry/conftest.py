"""A login server called in process: tokens, uploads, images."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from azext_trust.server.app import App
from tests.conftest import BUILDER, SUBSCRIPTION, Client

HOST = "myregistry.azurecr.io"
REGISTRY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/myregistry"
)
VERSION = "api-version=2025-11-01"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of some content."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


@dataclass
class Answer:
    """An answer of the login server."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The first error's code."""
        return str(self.json["errors"][0]["code"])


def send(
    app: App, method: str, target: str, headers: dict[str, str], body: list[bytes], *, cut: bool = False
) -> Answer:
    """Send one request through the application (ASGI 3), its body in pieces; `cut` loses the connection after them."""
    path, _, query = target.partition("?")
    pieces = [{"type": "http.request", "body": piece, "more_body": True} for piece in body]
    last = {"type": "http.disconnect"} if cut else {"type": "http.request", "body": b"", "more_body": False}
    coming = iter([*pieces, last])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(coming)

    async def take(message: Any) -> None:
        sent.append({**message, "body": bytes(message.get("body", b""))})

    named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": named, "client": ("127.0.0.1", 1),
    }  # fmt: skip
    running = app(scope, receive, take)
    with pytest.raises(StopIteration):
        running.send(None)
    if not sent:
        return Answer(0, {}, b"")
    received = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], received, b"".join(message["body"] for message in sent[1:]))


@dataclass
class Login:
    """A login server, and the cloud around it."""

    cloud: Client
    host: str = HOST
    tokens: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, target: str, token: str = "", body: Any = b"", **headers: str) -> Answer:
        """Send a request; a list is a chunked body."""
        sent = {"host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if token:
            sent.setdefault("authorization", f"Bearer {token}")
        pieces = body if isinstance(body, list) else [body] if body else []
        if not isinstance(body, list):
            sent.setdefault("content-length", str(len(body)))
        return send(self.cloud.app, method, target, sent, pieces)

    def ask(self, scope: str = "", user: str = BUILDER, password: str = "Builder-secret-1") -> Answer:
        """Ask the token service with a name and password, or for nobody."""
        query = urlencode([("service", self.host), *(("scope", one) for one in scope.split() if one)])
        headers = {"authorization": basic(user, password)} if user else {}
        return self.call("GET", f"/oauth2/token?{query}", **headers)

    def token(self, scope: str, user: str = BUILDER, password: str = "Builder-secret-1") -> str:
        """Return an access token."""
        answer = self.ask(scope, user, password)
        assert answer.status == 200, answer
        return str(answer.json["access_token"])

    def exchange(self, name: str, password: str, resource: str = "https://containerregistry.azure.net") -> Answer:
        """Exchange a user's access token of the directory for a refresh token."""
        entra = self.cloud.sign_in(name, password, f"{resource}/.default")
        form = {"grant_type": "access_token", "service": self.host, "access_token": entra}
        return self.call("POST", "/oauth2/exchange", body=urlencode(form).encode())

    def for_user(self, name: str, password: str, scope: str) -> str:
        """Return an access token of a user, as az gets it."""
        form = {"grant_type": "refresh_token", "service": self.host, "scope": scope,
                "refresh_token": self.exchange(name, password).json["refresh_token"]}  # fmt: skip
        answer = self.call("POST", "/oauth2/token", body=urlencode(form).encode())
        assert answer.status == 200, answer
        return str(answer.json["access_token"])

    def owner(self, repository: str, actions: str = "pull,push,delete,metadata_read,metadata_write") -> str:
        """Return a token of the owner for a repository."""
        return self.for_user("owner@contoso.com", "Owner-pass-1", f"repository:{repository}:{actions}")

    def arm(self, method: str, path: str, body: object = None) -> Any:
        """Ask Resource Manager as the owner."""
        token = self.tokens.get("arm") or self.cloud.sign_in("owner@contoso.com", "Owner-pass-1")
        self.tokens["arm"] = token
        reply = self.cloud.call(method, f"{path}?{VERSION}", body, token)
        assert reply.status < 300, reply
        return reply.body

    def policy(self, **policies: dict[str, object]) -> None:
        """Set policies of the registry."""
        self.arm("PATCH", REGISTRY, {"properties": {"policies": policies}})

    def blob(self, token: str, repository: str, data: bytes) -> str:
        """Upload a blob and return its digest."""
        made = self.call("POST", f"/v2/{repository}/blobs/uploads/", token)
        assert made.status == 202, made
        digest = digest_of(data)
        done = self.call("PUT", f"{made.headers['location']}?digest={quote(digest)}", token, data)
        assert done.status == 201, done
        return digest

    def image(self, token: str, repository: str, tag: str, layer: bytes = b"layer", **more: object) -> str:
        """Push an image and return its digest."""
        config = json.dumps({"architecture": "arm64", "os": "linux"}).encode()
        self.blob(token, repository, config)
        self.blob(token, repository, layer)
        manifest = {
            "schemaVersion": 2, "mediaType": OCI, **more,
            "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": digest_of(layer), "size": len(layer)}],
        }  # fmt: skip
        return self.manifest(token, repository, tag, manifest)

    def manifest(self, token: str, repository: str, tag: str, manifest: dict[str, Any]) -> str:
        """Push a manifest under a tag, or by digest when the tag is empty, and return its digest."""
        raw = json.dumps(manifest).encode()
        path = f"/v2/{repository}/manifests/{tag or digest_of(raw)}"
        done = self.call("PUT", path, token, raw, content_type=manifest["mediaType"])
        assert done.status == 201, done
        return done.headers["docker-content-digest"]

    def denied(self) -> list[dict[str, Any]]:
        """Return the details of the refusals in the activity log, with their operation."""
        from azext_trust.server.store import activity

        with self.cloud.app.store.read() as transaction:
            entries = [one for one in activity.entries(transaction.session) if one.outcome == "Denied"]
        return [{"operation": one.operation, "scope": one.scope, **activity.details_of(one)} for one in entries]


def basic(user: str, password: str) -> str:
    """Return an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def login(cloud: Client) -> Login:
    """Give the login server of the small cloud."""
    return Login(cloud)


@pytest.fixture
def pushes(login: Login) -> str:
    """Give a token of the builder, which may pull and push in ``team/web``."""
    return login.token("repository:team/web:pull,push")
