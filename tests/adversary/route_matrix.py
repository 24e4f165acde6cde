"""Every route of every service with a path that exists, and the callers that must not get far with it."""

from __future__ import annotations

import hashlib
import importlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from azext_trust.server.app import SERVICES, create_app
from azext_trust.server.gate import minting
from azext_trust.server.gate.call import Settings
from azext_trust.server.gate.route import Route
from azext_trust.server.store import facts, principals
from tests.adversary.test_tokens import signed
from tests.conftest import SUBSCRIPTION, TENANT, Client
from tests.sign_in import claims_of
from tests.tokens import AZURE_CLI
from tests.unit.server.registry.conftest import Answer, send

MARK = "classified"
"""In whatever a caller without rights may not read: names are in paths, and so in refusals."""
ASSIGNMENT, DENY, ROLE = (f"{digit * 8}-0000-0000-0000-000000000000" for digit in "abc")
SEED = f"""
tenant: {{id: {TENANT}, domain: contoso.com}}
managementGroups: [{{name: platform, displayName: {MARK}}}]
subscription: {{id: {SUBSCRIPTION}, name: Lab, managementGroup: platform}}
users:
  - {{name: owner@contoso.com, password: Owner-pass-1, roles: [{{role: Owner}}]}}
  - {{name: reader@contoso.com, password: Reader-pass-1, roles: [{{role: Reader}}]}}
  - {{name: nobody@contoso.com, password: Nobody-pass-1}}
  - {{name: neighbour@contoso.com, password: Neighbour-pass-1, roles: [{{role: Owner, scope: other}}]}}
groups: [{{name: signers, id: 55555555-5555-5555-5555-555555555555, members: [owner@contoso.com], owners: [owner@contoso.com],
           properties: {{description: {MARK}}}}}]
applications:
  - name: builder
    appId: 33333333-3333-3333-3333-333333333333
    id: 44444444-4444-4444-4444-444444444444
    secret: Build-an-image-1
    servicePrincipal: {{id: 66666666-6666-6666-6666-666666666666}}
    federatedCredentials: [{{name: cloud, issuer: "https://issuer.example", subject: s, audiences: [a]}}]
directoryRoles: [{{role: Global Administrator, members: [owner@contoso.com]}}]
resourceGroups:
  - {{name: lab, location: westeurope, tags: {{{MARK}: "yes"}}}}
  - {{name: other, location: westeurope}}
identities:
  - {{name: worker, resourceGroup: lab, tags: {{{MARK}: "yes"}},
      federatedCredentials: [{{name: cloud, issuer: "https://{MARK}.example", subject: s, audiences: [a]}}]}}
registries:
  - name: myregistry
    resourceGroup: lab
    sku: Premium
    contentTrust: enabled
    adminUser: true
    tags: {{{MARK}: "yes"}}
    scopeMaps: [{{name: secondary, actions: ["repositories/team/{MARK}/content/read"]}}]
    tokens: [{{name: secondary, scopeMap: secondary, password: Pull-an-image-1}}]
  - {{name: elsewhere, resourceGroup: other, sku: Basic}}
customRoles: [{{name: {MARK}, id: {ROLE}, actions: ["*/read"], assignableScopes: [lab]}}]
assignments: [{{assignee: builder, role: {MARK}, scope: lab, id: {ASSIGNMENT}, description: {MARK}}}]
denyAssignments: [{{name: {MARK}, id: {DENY}, scope: lab, actions: ["{MARK}/delete"], principals: [builder]}}]
locks: [{{name: keep, level: CanNotDelete, scope: lab, notes: {MARK}}}]
"""
LAB = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab"
HOST = "myregistry.azurecr.io"
NAMES = {
    "subscription": SUBSCRIPTION, "tenant": TENANT, "registry": "myregistry", "scope": LAB, "location": "westeurope",
    "namespace": "Microsoft.ContainerRegistry", "identity": "worker", "operation": "0" * 32, "verb": "create",
    "cast": "group", "kind": "group", "member": "66666666-6666-6666-6666-666666666666",
    "owner": "66666666-6666-6666-6666-666666666666", "grant": "none", "rest": "x", "gun": f"{HOST}/team/web",
    "file": "root.json", "reference": "v1", "tag": "v1", "upload": "0" * 32, "digest": "sha256:" + "0" * 64,
}  # fmt: skip
"""What stands for the placeholders of the tables; `place` knows those that mean several things."""
_KINDS = {
    "users": "owner@contoso.com", "groups": "55555555-5555-5555-5555-555555555555",
    "applications": "44444444-4444-4444-4444-444444444444", "servicePrincipals": NAMES["member"],
    "directoryObjects": "55555555-5555-5555-5555-555555555555", "managementGroups": "platform",
    "resourceGroups": "lab", "roleDefinitions": ROLE, "roleAssignments": ASSIGNMENT, "denyAssignments": DENY,
    "locks": "keep", "scopeMaps": "secondary", "tokens": "secondary", "federatedIdentityCredentials": "cloud",
    "userrealm": "owner@contoso.com", "domains": "contoso.com", "organization": TENANT,
}  # fmt: skip
"""What stands for ``{id}``, ``{group}`` and ``{name}`` behind a part of the path."""


def place(row: Route) -> str:
    """Return the path of a row with its placeholders filled: of things that are there, where there can be any."""
    parts: list[str] = []
    for part in row.path.split("/"):
        if part.startswith("{") and part.endswith("}"):
            name = part[1:-1].removesuffix(":path")
            before = parts[-1] if parts else ""
            known = _KINDS.get(before) if name in ("id", "group", "name") else None
            part = known or NAMES.get(name) or ("team/web" if name == "name" else "none")
        parts.append(part)
    text = "/".join(parts).replace("{cast}", "group").replace("{kind}", "group")
    return text if text.startswith("/") else "/" + text


@dataclass(frozen=True)
class Case:
    """A row of a service with its path."""

    service: str
    row: Route
    path: str

    def __str__(self) -> str:
        """Return it for a person who reads that a test failed."""
        return f"{self.service} {self.row.method} {self.path}"


def cases(service: str) -> Iterator[Case]:
    """Give the rows of a service."""
    for row in importlib.import_module(f"azext_trust.server.{service}.routes").ROUTES:
        yield Case(service, row, place(row).replace("//", "/"))


@dataclass
class World:
    """A cloud with something of everything, and the tokens of those who call it."""

    client: Client
    directory: Path

    def send(self, case: Case, token: str) -> Answer:
        """Send a row's request with an empty object as its body."""
        host = {"registry": HOST, "notary": HOST, "imds": "169.254.169.254"}.get(case.service, "localhost")
        headers = {"host": host, "content-type": "application/json", "content-length": "2"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        query = "?api-version=2030-01-01" if case.service == "arm" else ""
        return send(self.client.app, case.row.method, case.path + query, headers, [b"{}"])

    def token(self, name: str, resource: str) -> str:
        """Return a user's access token for a resource."""
        app = self.client.app
        with app.store.read() as transaction:
            user = principals.user_by_upn(transaction.session, f"{name}@contoso.com")
            assert user is not None
            return minting.access_token(transaction, app.settings, user, AZURE_CLI, resource)

    def registry_token(self, name: str, scope: str) -> str:
        """Return an access token of the registry with what a user may have of a scope."""
        entra = self.token(name, "https://containerregistry.azure.net")
        form = {"grant_type": "access_token", "service": HOST, "access_token": entra}
        refresh = self._post("/oauth2/exchange", form).get("refresh_token")
        if refresh is None:
            return entra  # who has no role on the registry gets no token of it
        form = {"grant_type": "refresh_token", "service": HOST, "scope": scope, "refresh_token": refresh}
        return str(self._post("/oauth2/token", form)["access_token"])

    def _post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        answer = send(self.client.app, "POST", path, {"host": HOST}, [urlencode(form).encode()])
        found: dict[str, Any] = answer.json
        return found

    def rows(self) -> dict[str, str]:
        """Return a digest of each table but the log of what happened; the revision is a fact among others."""
        found = {}
        with sqlite3.connect(f"file:{self.directory}/state.db?mode=ro", uri=True) as database:
            tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
            for name in tables:
                if name.startswith(("activity", "sqlite_", "sign_in")):
                    continue
                found_rows = map(repr, database.execute(f'select * from "{name}"'))
                rows = sorted(row for row in found_rows if facts.ACTIVITY_HEAD not in row)
                found[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
        return found


def opened(directory: Path) -> World:
    """Found the cloud."""
    seed = directory / "seed.yaml"
    seed.write_text(SEED)
    client = Client(create_app(Settings(state=directory / "cloud", seed=seed, quiet=True, imds=True)))
    return World(client, directory / "cloud")


RESOURCES = {
    "arm": "https://management.core.windows.net/", "graph": "https://graph.microsoft.com/",
    "registry": "https://containerregistry.azure.net",
}  # fmt: skip
"""Whose tokens a service takes; the others take Resource Manager's, and userinfo Graph's."""


def resource_of(service: str) -> str:
    """Return the resource whose tokens a service takes."""
    return RESOURCES.get({"sts": "graph", "notary": "registry"}.get(service, service), RESOURCES["arm"])


def _claims(world: World, service: str, **other: object) -> str:
    claims = claims_of(world.token("owner", resource_of(service)))
    return signed(world.client, **{**claims, **other})


def tampered(world: World, service: str) -> str:
    """Return the reader's token with the owner's claims under the reader's signature."""
    head, _, signature = world.token("reader", resource_of(service)).split(".")
    return f"{head}.{world.token('owner', resource_of(service)).split('.')[1]}.{signature}"


def wrong_audience(world: World, service: str) -> str:
    """Return the owner's good token for another service."""
    return world.token("owner", RESOURCES["registry" if resource_of(service) != RESOURCES["registry"] else "graph"])


STRANGERS: dict[str, Callable[[World, str], str]] = {
    "anonymous": lambda world, service: "",
    "wrong audience": wrong_audience,
    "expired": lambda world, service: _claims(world, service, exp=1),
    "tampered": tampered,
    "other tenant": lambda world, service: _claims(world, service, tid="99999999-9999-9999-9999-999999999999"),
}  # fmt: skip
"""Tokens that are good nowhere: of who is not known."""
PLAIN = ("nobody", "reader", "neighbour")
"""Who is known: without any assignment, Reader of the subscription, Owner of another group."""
assert set(RESOURCES) < set(SERVICES)


def code_of(answer: Answer) -> str:
    """Return an answer's error code."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    error = body.get("error") or next(iter(body.get("errors") or [{}]))
    return str(error.get("code", "")) if isinstance(error, dict) else str(error)
