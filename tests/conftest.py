"""What tests share: a founded cloud in a directory of its own, and a client that calls it in process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from argon2 import profiles

from azext_trust.server.app import App, create_app
from azext_trust.server.gate.call import Call, Reply, Settings

# Passwords are hashed a thousand times in a run of the tests; what a hash costs is the library's affair.
profiles.RFC_9106_LOW_MEMORY = profiles.CHEAPEST

TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
BUILDER = "33333333-3333-3333-3333-333333333333"
SEED = f"""
tenant: {{id: {TENANT}, domain: contoso.com}}
subscription: {{id: {SUBSCRIPTION}, name: Lab}}
users:
  - {{name: owner@contoso.com, password: "Owner-pass-1", roles: [{{role: Owner}}]}}
  - {{name: reader@contoso.com, password: "Reader-pass-1", roles: [{{role: Reader}}]}}
  - {{name: alain@contoso.com, displayName: Alain, password: "Alain-pass-1"}}
groups: [{{name: signers, members: [alain@contoso.com]}}]
applications: [{{name: builder, appId: {BUILDER}, secret: "Builder-secret-1", identifierUris: ["api://builder"]}}]
resourceGroups: [{{name: lab, location: westeurope}}]
registries:
  - {{name: myregistry, resourceGroup: lab, sku: Premium}}
  - {{name: basicregistry, resourceGroup: lab, sku: Basic}}
assignments: [{{assignee: builder, role: AcrPush, scope: myregistry}}]
directoryRoles: [{{role: Global Administrator, members: [owner@contoso.com]}}]
"""


@dataclass
class Client:
    """Calls the application in process, as somebody."""

    app: App

    def call(self, method: str, target: str, body: object = None, token: str = "", **headers: str) -> Reply:
        """Send a request; a dict body is JSON, or a form when the content type says so."""
        path, _, query = target.partition("?")
        sent = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if token:
            sent["authorization"] = f"Bearer {token}"
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        call = Call(
            method, path, {k.lower(): v for k, v in parse_qsl(query, keep_blank_values=True)}, sent, raw,
            self.app.settings, query,
        )  # fmt: skip
        return self.app.answer("localhost", call)

    def token_request(self, **form: str) -> Reply:
        """Post a form to the token endpoint of the tenant."""
        form.setdefault("scope", "https://management.core.windows.net//.default openid profile offline_access")
        form.setdefault("client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46")
        return self.call("POST", f"/{TENANT}/oauth2/v2.0/token", urlencode(form).encode())

    def sign_in(self, name: str, password: str, scope: str = "") -> str:
        """Return an access token of a user; the scope is ARM's unless given."""
        form = {"grant_type": "password", "username": name, "password": password}
        return str(self.json(self.token_request(**form, **({"scope": scope} if scope else {})))["access_token"])

    @staticmethod
    def json(reply: Reply) -> dict[str, Any]:
        """Return a reply's JSON object."""
        assert isinstance(reply.body, dict), reply
        return reply.body


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found the small cloud once; each test works on a copy."""
    directory = tmp_path_factory.mktemp("founded")
    seed = directory / "seed.yaml"
    seed.write_text(SEED)
    app = create_app(Settings(state=directory / "cloud", seed=seed, quiet=True))
    app.store.close()
    return directory / "cloud"


@pytest.fixture
def cloud(founded: Path, tmp_path: Path) -> Iterator[Client]:
    """Give a founded cloud of the test's own."""
    import shutil

    shutil.copytree(founded, tmp_path / "cloud")
    app = create_app(Settings(state=tmp_path / "cloud", quiet=True))
    yield Client(app)
    app.store.close()
