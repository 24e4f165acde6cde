"""Our Notary server without a login server in front: rows, one transaction each, errors; everybody may do everything.

What the gate does with tokens is tested where the gate is; here it is the protocol and the store.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

from azext_trust.clients.notary_errors import Conflict, NoTrustData, Rejected, Unavailable
from azext_trust.server.app import App, create_app
from azext_trust.server.gate.call import Call, Caller, MalformedBody, Reply, ServiceError, Settings
from azext_trust.server.gate.route import RouteTable
from azext_trust.server.notary import errors
from azext_trust.server.notary.routes import ROUTES
from azext_trust.server.store import registries
from azext_trust.server.store.activity import Activity

HOST = "myregistry.azurecr.io"
BOUNDARY = "xyz"
REGISTRY = "/subscriptions/s/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/myregistry"
"""The resource id that the gate would find."""


def form(parts: Mapping[str, bytes], boundary: str = BOUNDARY) -> bytes:
    """Return a publish's body as notary sends it."""
    return (
        b"".join(
            b'--%s\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n%s\r\n" % (boundary.encode(), role.encode(), raw)
            for role, raw in parts.items()
        )
        + b"--%s--\r\n" % boundary.encode()
    )


@dataclass
class Served:
    """The service on a state.

    Attributes:
        app: the cloud; its store is used.
        host: the login server that requests are sent to.
    """

    app: App
    host: str = HOST
    table: RouteTable = field(default_factory=lambda: RouteTable(ROUTES))

    def call(self, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
        """Answer a request as the gate would for somebody who may do everything."""
        path, _, query = target.partition("?")
        sent = {"host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        call = Call(
            method, path, dict(parse_qsl(query)), sent, body, self.app.settings, caller=Caller("me", "User", "me")
        )
        try:
            return self._answer(call)
        except ServiceError as error:
            return errors.render(error, call)
        except MalformedBody as error:
            return errors.render(errors.malformed(str(error), call), call)

    def _answer(self, call: Call) -> Reply:
        row, params, elsewhere = self.table.match(call.method, call.path)
        if row is None:
            raise errors.method_not_allowed(call) if elsewhere else errors.not_found(call)
        call.params = {**params, "registry": REGISTRY}
        module, _, name = row.operation.partition(":")
        operation = getattr(importlib.import_module(f"azext_trust.server.notary.{module}"), name)
        store = self.app.store
        if row.own_transactions:
            return cast(Reply, operation(store, call))
        with store.write() if row.activity else store.read() as transaction:
            reply = cast(Reply, operation(transaction, call))
            if row.activity:
                scope = row.scope_of(call.path, dict(call.params))
                transaction.record(Activity(row.activity, scope, "Allowed", "me", call.correlation_id, call.details))
            return reply

    def json(self, method: str, target: str, body: bytes = b"", **headers: str) -> Any:
        """Return the JSON of an answer."""
        reply = self.call(method, target, body, **headers)
        return reply.body if isinstance(reply.body, dict) else json.loads(cast(bytes, reply.body))

    def remote(self, repository: str = "team/web") -> ServedRemote:
        """Return one repository as `signing` sees it."""
        return ServedRemote(self, f"{self.host}/{repository}")

    def enable(self, name: str = "myregistry", **changes: Any) -> None:
        """Switch content trust on, or change other members of the registry's row."""
        with self.app.store.write() as transaction:
            row = registries.by_name(transaction.session, name)
            assert row is not None
            for member, value in {"trust_enabled": True, **changes}.items():
                setattr(row, member, value)
            transaction.session.add(row)


@dataclass
class ServedRemote:
    """The service as `signing.notary.Remote`, without HTTP between."""

    served: Served
    gun: str

    @property
    def server(self) -> str:
        """The login server."""
        return self.served.host

    def _ask(self, method: str, path: str, resource: str, body: bytes = b"", **headers: str) -> bytes:
        reply = self.served.call(method, f"/v2/{self.gun}/_trust/tuf/{path}", body, **headers)
        if reply.status == 404:
            raise NoTrustData(resource)
        raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        if reply.status == 400:
            error = json.loads(raw)["errors"][0]
            if error["code"] == "VERSION":
                raise Conflict
            detail = error.get("detail") or {}
            kind = detail if isinstance(detail, dict) else {}
            raise Rejected(error["code"], kind.get("Name", ""), (kind.get("Error") or {}).get("Msg", ""))
        if reply.status != 200:
            raise Unavailable(reply.status)
        return raw

    def fetch(self, name: str, limit: int) -> bytes:
        """Return metadata."""
        return self._ask("GET", f"{name}.json", name)[: limit + 1]

    def publish(self, parts: Mapping[str, bytes]) -> None:
        """Upload metadata."""
        self._ask("POST", "", "POST", form(parts), content_type=f"multipart/form-data; boundary={BOUNDARY}")

    def server_key(self, role: str) -> bytes:
        """Return the server's key."""
        return self._ask("GET", f"{role}.key", f"{role} key")

    def rotate_key(self, role: str) -> bytes:
        """Return a new key."""
        return self._ask("POST", f"{role}.key", f"{role} key")

    def delete(self) -> None:
        """Delete everything."""
        self._ask("DELETE", "", "DELETE")


@contextmanager
def serving(state: Path, seed: Path, name: str) -> Iterator[Served]:
    """Open a state, with content trust on at one registry."""
    app = create_app(Settings(state=state, seed=seed, quiet=True))
    try:
        served = Served(app)
        served.enable(name)
        yield served
    finally:
        app.store.close()
