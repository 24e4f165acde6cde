"""The whole server on both databases: the article's management half leaves the same world (M32)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from azext_trust.server.store.verification import verify
from tests.conftest import SEED, SUBSCRIPTION, Client
from tests.contract.conftest import Place
from tests.tokens import token_of

REGISTRY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/myregistry"
)


@pytest.fixture
def client(place: Place, tmp_path: Path) -> Iterator[Client]:
    """Give a founded cloud."""
    (tmp_path / "seed.yaml").write_text(SEED)
    app = create_app(Settings(state=place.directory, seed=tmp_path / "seed.yaml", database=place.url, quiet=True))
    yield Client(app)
    app.store.close()


def _policy(client: Client, token: str, status: str) -> int:
    body = {"properties": {"policies": {"trustPolicy": {"type": "Notary", "status": status}}}}
    return client.call("PATCH", f"{REGISTRY}?api-version=2023-07-01", body, token).status


def test_the_article_s_management_half(client: Client, place: Place) -> None:
    """M2, M4, M32: sign in, enable, be refused, disable; the log has it all, and a second process serves the same."""
    owner = client.sign_in("owner@contoso.com", "Owner-pass-1")
    reader = client.sign_in("reader@contoso.com", "Reader-pass-1")
    assert _policy(client, owner, "enabled") == 200
    assert _policy(client, reader, "disabled") == 403
    key = client.app.store.vault.operator_key()
    dump = client.json(client.call("GET", "/operator/dump", token=key))
    assert [row["contentTrust"] for row in dump["registries"]] == ["disabled", "enabled"]
    assert [row["name"] for row in dump["users"]] == ["alain@contoso.com", "owner@contoso.com", "reader@contoso.com"]
    assert _policy(client, owner, "disabled") == 200
    log = client.json(client.call("GET", "/operator/log", token=key))["value"]
    assert [row["outcome"] for row in log] == ["Allowed"] * 4 + ["Denied", "Allowed"]
    assert verify(client.app.store).problem == ""
    again = create_app(Settings(state=place.directory, database=place.url, quiet=True))
    answers = [Client(app).call("GET", "/operator/dump", token=key).body for app in (client.app, again)]
    again.store.close()
    assert answers[0] == answers[1]


@pytest.mark.parametrize("character", ["\\ud800", "\\u0000"])
def test_characters_that_cannot_be_kept(client: Client, character: str) -> None:
    """A body with half a surrogate pair, or a NUL, is refused or kept; it is no fault of ours."""
    body = f'{{"tags": {{"name": "{character}"}}}}'.encode()
    reply = client.call("PATCH", f"{REGISTRY}?api-version=2023-07-01", body, token_of(client))
    assert reply.status == (400 if character == "\\ud800" else 200)
    path = f"{REGISTRY.replace('myregistry', 'my%00registry')}?api-version=2023-07-01"
    assert client.call("GET", path, token=token_of(client)).status in (400, 404)
