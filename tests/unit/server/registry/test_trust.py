"""Signing through the login server's front door: tokens, policy, the Notary service behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from azext_trust.server.store import activity, facts
from azext_trust.signing import tags
from azext_trust.signing.draft import Repository
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.passphrases import Passphrases
from azext_trust.tuf.metadata import FileMeta
from tests.notary_service import BOUNDARY, form
from tests.trust import PASSPHRASES
from tests.unit.server.registry.conftest import HOST, REGISTRY, Answer, Login

GUN = f"{HOST}/team/web"
BASE = f"/v2/{GUN}/_trust/tuf/"
PROVIDER = "Microsoft.ContainerRegistry/registries/trustedCollections"


@dataclass
class Remote:
    """One repository as `signing` sees it, each request with a token of its own."""

    login: Login
    gun: str = GUN
    server: str = HOST

    def ask(self, method: str, path: str, actions: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request as the owner, with a token for these actions."""
        token = self.login.for_user("owner@contoso.com", "Owner-pass-1", f"repository:{GUN}:{actions}")
        return self.login.call(method, BASE + path, token, body, **headers)

    def _must(self, answer: Answer) -> bytes:
        if answer.status == 404:
            from azext_trust.clients.notary_errors import NoTrustData

            raise NoTrustData("metadata")
        assert answer.status == 200, answer
        return answer.body

    def fetch(self, name: str, limit: int) -> bytes:
        """Return metadata."""
        return self._must(self.ask("GET", f"{name}.json", "pull"))

    def publish(self, parts: Mapping[str, bytes]) -> None:
        """Upload metadata."""
        media = f"multipart/form-data; boundary={BOUNDARY}"
        self._must(self.ask("POST", "", "pull,push", form(parts), content_type=media))

    def server_key(self, role: str) -> bytes:
        """Return the server's key."""
        return self._must(self.ask("GET", f"{role}.key", "pull,push"))

    def rotate_key(self, role: str) -> bytes:
        """Return a new key."""
        return self._must(self.ask("POST", f"{role}.key", "*"))

    def delete(self) -> None:
        """Delete everything."""
        self._must(self.ask("DELETE", "", "*"))


@pytest.fixture
def remote(login: Login) -> Remote:
    """Give a repository of a registry with content trust, whose owner may sign."""
    login.policy(trustPolicy={"type": "Notary", "status": "enabled"})
    login.arm(
        "PUT", f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000a1",
        {"properties": {"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/"
                        "6cef56e8-d556-48e5-a04f-b8e64114680f",
                        "principalId": _owner(login)}},
    )  # fmt: skip
    return Remote(login)


def _owner(login: Login) -> str:
    from azext_trust.server.store import principals

    with login.cloud.app.store.read() as transaction:
        found = principals.user_by_upn(transaction.session, "owner@contoso.com")
        assert found is not None
        return found.id


def test_signed_through_the_door(remote: Remote, tmp_path: Path) -> None:
    """M10, M13: who may sign signs with a token; the data API then says so; another role's token does not."""
    login = remote.login
    pushes = login.token("repository:team/web:pull,push")
    digest = login.image(pushes, "team/web", "v1")
    raw = login.call("GET", "/v2/team/web/manifests/v1", pushes).body
    store = KeyStore(tmp_path, Passphrases(environment=PASSPHRASES))
    signer = Repository.of(remote, store, login.cloud.app.store.now)
    tags.sign(signer, "v1", FileMeta(len(raw), {"sha256": hashlib.sha256(raw).digest()}))
    shown = login.call("GET", "/acr/v1/team/web/_tags/v1", login.owner("team/web")).json["tag"]
    assert (shown["digest"], shown["signed"]) == (digest, True)
    assert login.call("GET", f"{BASE}root.json", login.token(f"repository:{GUN}:pull")).status == 200
    refused = login.call("POST", BASE, login.token(f"repository:{GUN}:pull,push"), b"x")
    assert (refused.status, refused.headers["www-authenticate"].endswith('error="insufficient_scope"')) == (401, True)
    assert login.denied()[0]["missing"] == "Microsoft.ContainerRegistry/registries/sign/write"
    remote.delete()
    assert login.call("GET", f"{BASE}root.json", login.token(f"repository:{GUN}:pull")).status == 404


def test_log(remote: Remote, tmp_path: Path) -> None:
    """M25: whatever happens to trust data is logged at the registry, with the name of the repository."""
    store, login = KeyStore(tmp_path, Passphrases(environment=PASSPHRASES)), remote.login
    tags.sign(Repository.of(remote, store, login.cloud.app.store.now), "v1", FileMeta(2, {"sha256": bytes(32)}))
    remote.rotate_key("timestamp")
    login.call("POST", BASE, login.token(f"repository:{GUN}:pull,push"), b"x")
    with login.cloud.app.store.write() as transaction:
        facts.put(transaction.session, facts.CLOCK_OFFSET, str(15 * 86400))
    remote.fetch("timestamp", 10_000)
    remote.delete()
    with login.cloud.app.store.read() as transaction:
        entries = list(activity.entries(transaction.session))
    found = {one.operation.removeprefix(PROVIDER + "/"): one for one in entries if one.operation.startswith(PROVIDER)}
    assert {"keys/write", "write", "renew", "delete"} == set(found)
    for entry in [*found.values(), next(one for one in entries if one.outcome == "Denied")]:
        details: Any = activity.details_of(entry)
        assert entry.scope == REGISTRY
        assert details.get("gun", (details.get("after") or {}).get("gun")) == GUN


@pytest.fixture
def remembered(remote: Remote, tmp_path: Path) -> Remote:
    """Give a repository whose timestamp and root were just read, so that they are answered from memory."""
    store = KeyStore(tmp_path, Passphrases(environment=PASSPHRASES))
    signer = Repository.of(remote, store, remote.login.cloud.app.store.now)
    tags.sign(signer, "v1", FileMeta(2, {"sha256": bytes(32)}))
    for name in ("timestamp", "root", "1.root"):
        assert remote.fetch(name, 10_000) == remote.fetch(name, 10_000)
    return remote


def test_memory_serves(remembered: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    """M16: what was read before is answered without the database."""
    from azext_trust.server.store import trust_data

    token = remembered.login.token(f"repository:{GUN}:pull")
    first = remembered.login.call("GET", f"{BASE}timestamp.json", token)
    monkeypatch.setattr(trust_data, "newest", None)
    assert remembered.login.call("GET", f"{BASE}timestamp.json", token) == first
    assert remembered.login.call("GET", f"{BASE}timestamp.json").status == 401


def test_memory_and_publish(remembered: Remote, tmp_path: Path) -> None:
    """M16: after a publish the old timestamp is answered no more."""
    before = remembered.fetch("timestamp", 10_000)
    store = KeyStore(tmp_path, Passphrases(environment=PASSPHRASES))
    signer = Repository.of(remembered, store, remembered.login.cloud.app.store.now)
    tags.sign(signer, "v2", FileMeta(2, {"sha256": bytes(32)}))
    assert remembered.fetch("timestamp", 10_000) != before


def test_memory_and_clock(remembered: Remote) -> None:
    """M16: what has expired is signed again, though it is remembered."""
    before = remembered.fetch("timestamp", 10_000)
    with remembered.login.cloud.app.store.write() as transaction:
        facts.put(transaction.session, facts.CLOCK_FROZEN, "2040-01-01T00:00:00.0000000Z")
    assert remembered.fetch("timestamp", 10_000) != before


@pytest.mark.parametrize("change", ["disabled", "retired", "deleted"])
def test_memory_and_loss(remembered: Remote, change: str) -> None:
    """M4, M5: what is purged, retired or deleted is answered no more, at once, to whoever holds a token of before."""
    login = remembered.login
    token = login.token(f"repository:{GUN}:pull")
    paths = [f"{BASE}{name}.json" for name in ("timestamp", "root", "1.root")]
    assert [login.call("GET", path, token).status for path in paths] == [200] * 3
    if change == "disabled":
        login.policy(trustPolicy={"type": "Notary", "status": "disabled"})
    elif change == "retired":
        with login.cloud.app.store.write() as transaction:
            facts.put(transaction.session, facts.RETIREMENT, "2028")
    else:
        remembered.delete()
    status = 404 if change == "deleted" else 405
    assert [login.call("GET", path, token).status for path in paths] == [status] * 3


def test_large_uploads(remote: Remote) -> None:
    """M16: metadata of many tags are larger than a manifest may be."""
    answer = remote.ask("POST", "", "pull,push", b"x" * (5 * 1024 * 1024), content_type="text/plain")
    assert (answer.status, answer.code) == (400, "MALFORMED_UPLOAD")
