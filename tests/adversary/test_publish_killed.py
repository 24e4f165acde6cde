"""Killed at any statement of a publish, a rotation or a removal: readers find the old collection or the new (M16, M17)."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from azext_trust.clients.notary_errors import Unavailable
from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from azext_trust.signing import rotation, tags
from azext_trust.signing.draft import Repository
from azext_trust.signing.errors import NotInitialized
from azext_trust.signing.key_store import KeyStore
from azext_trust.signing.passphrases import Passphrases
from tests.adversary import trials
from tests.adversary.purger import BODY
from tests.conftest import SEED, Client
from tests.notary_service import BOUNDARY, HOST, Served, form
from tests.trust import PASSPHRASES, image
from tests.unit.server.registry.conftest import REGISTRY, VERSION, Login

GUN = f"{HOST}/team/web"
BASE = f"/v2/{GUN}/_trust/tuf/"
_MORE = "".join(f"{{assignee: builder, role: {role}, scope: myregistry}}, " for role in ("AcrImageSigner", "AcrDelete"))
SIGNS = SEED.replace("assignments: [", f"assignments: [{_MORE}")
MOST = 400
"""No request here takes so many statements."""


class Stop(Exception):
    """The request has been seen; it is not to be sent."""


@dataclass
class Caught:
    """A repository's remote that catches the one request of an operation that is to be killed."""

    inner: Any
    wanted: str
    request: tuple[str, str, bytes] = field(default=("", "", b""))
    gun: str = GUN
    server: str = HOST

    def _catch(self, what: str, method: str, path: str, body: bytes = b"") -> None:
        if what == self.wanted:
            self.request = (method, path, body)
            raise Stop

    def fetch(self, name: str, limit: int) -> bytes:
        """Return metadata."""
        return bytes(self.inner.fetch(name, limit))

    def publish(self, parts: Mapping[str, bytes]) -> None:
        """Upload metadata."""
        self._catch("publish", "POST", BASE, form(parts))
        self.inner.publish(parts)

    def server_key(self, role: str) -> bytes:
        """Return the server's key."""
        return bytes(self.inner.server_key(role))

    def rotate_key(self, role: str) -> bytes:
        """Return a new key."""
        self._catch("key", "POST", f"{BASE}{role}.key")
        return bytes(self.inner.rotate_key(role))

    def delete(self) -> None:
        """Delete everything."""
        self._catch("delete", "DELETE", BASE)
        self.inner.delete()


@dataclass(frozen=True)
class Ground:
    """A founded cloud with one signed repository.

    Attributes:
        directory: holds the cloud, and the signer's keys.
        token: a token of the login server that may do everything there.
        owner: one of Resource Manager.
    """

    directory: Path
    token: str
    owner: str

    def repository(self, remote: Any, keys: Path) -> Repository:
        """Return the repository for a signer or reader."""
        store = KeyStore(keys, Passphrases(environment=PASSPHRASES))
        return Repository.of(remote, store, lambda: datetime.now(UTC))

    def request(self, name: str, at: Path) -> dict[str, Any]:
        """Return the request of an operation, prepared on a copy, with the signer's keys as they are then."""
        headers = {"host": HOST, "authorization": f"Bearer {self.token}"}
        if name == "purge":
            return {"method": "PATCH", "target": f"{REGISTRY}?{VERSION}", "body": json.dumps(BODY).encode(),
                    "headers": {"host": "localhost", "authorization": f"Bearer {self.owner}"}}  # fmt: skip
        shutil.copytree(self.directory, at)
        app = create_app(Settings(state=at / "cloud", quiet=True))
        caught = Caught(Served(app).remote(), {"key": "key", "remove": "delete"}.get(name, "publish"))
        with suppress(Stop):
            OPERATIONS[name](self.repository(caught, at / "keys"))
        app.store.close()
        method, target, body = caught.request
        headers |= {"content-type": f"multipart/form-data; boundary={BOUNDARY}", "content-length": str(len(body))}
        return {"method": method, "target": target, "body": body, "headers": headers}


OPERATIONS: dict[str, Callable[[Repository], object]] = {
    "publish": lambda signer: tags.sign(signer, "v2", image("v2")),
    "root": lambda signer: rotation.rotate(signer, "root"),
    "key": lambda signer: rotation.rotate(signer, "timestamp", server=True),
    "remove": lambda signer: signer.remote.delete(),
    "purge": lambda signer: None,
}  # fmt: skip


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Found a cloud with one repository and one signed tag."""
    directory = tmp_path_factory.mktemp("ground")
    (directory / "seed.yaml").write_text(SIGNS)
    app = create_app(Settings(state=directory / "cloud", seed=directory / "seed.yaml", quiet=True))
    login = Login(Client(app))
    login.policy(trustPolicy={"type": "Notary", "status": "enabled"})
    made = Ground(directory, login.token(f"repository:{GUN}:*"), login.tokens["arm"])
    tags.sign(made.repository(Served(app).remote(), directory / "keys"), "v1", image("v1"))
    app.store.close()
    return made


@pytest.fixture(scope="module")
def requester() -> Iterator[subprocess.Popen[str]]:
    """Start the program that sends a request and dies, once: it has everything loaded."""
    with trials.started("tests.adversary.requester") as process:
        yield process


def killed(requester: subprocess.Popen[str], state: Path, request: dict[str, Any], number: int) -> tuple[Any, bool]:
    """Run a request until a statement; return the status reported before, and whether it came to its end."""
    body = base64.b64encode(request["body"]).decode()
    told, ended = trials.ask(requester, {**request, "state": str(state), "number": number, "body": body})
    return told, ended


def seen(ground: Ground, state: Path, reader: Path) -> object:
    """Return what a client without cache, that verifies everything, finds: each role's version and the tags."""
    app = create_app(Settings(state=state, quiet=True))
    try:
        loaded = ground.repository(Served(app).remote(), reader).load(offline=False)
    except NotInitialized:
        return "nothing"
    except Unavailable as off:
        return off.status
    finally:
        app.store.close()
    found = loaded.trusted
    assert found.timestamp is not None
    return {
        "root": found.root.version if found.root else 0, "timestamp": found.timestamp.version,
        "tags": sorted(loaded.targets["targets"].targets),
    }  # fmt: skip


def rows(state: Path) -> str:
    """Return a digest of what readers can reach: as long as it is the same, they find the same."""
    with closing(sqlite3.connect(state / "state.db")) as connection:
        found = connection.execute(
            "SELECT trust_enabled, trust_metadata.* FROM registry LEFT JOIN trust_metadata ON registry_id = trust_space"
            " WHERE registry.name = 'myregistry' ORDER BY gun, role, version"
        ).fetchall()
    return hashlib.sha256(repr(found).encode()).hexdigest()


@pytest.mark.parametrize("name", OPERATIONS)
def test_old_or_new(name: str, ground: Ground, requester: subprocess.Popen[str], tmp_path: Path) -> None:
    """M4, M16, M17: killed at any statement, a reader verifies the old collection or the new; after the report the new."""
    request = ground.request(name, tmp_path / "prepared")
    known: dict[str, object] = {}
    found = []
    ended = False
    for number in range(MOST):
        state = tmp_path / f"cloud{number}"
        shutil.copytree(ground.directory / "cloud", state)
        if number:
            told, ended = killed(requester, state, request, number)
            assert told == (200 if ended else None)
        digest = rows(state)
        if digest not in known:
            known[digest] = seen(ground, state, tmp_path / f"reader{number}")
        found.append(known[digest])
        shutil.rmtree(state)
        if ended:
            break
    assert ended
    assert len(found) > 10
    assert found == sorted(found, key=lambda one: one != found[0]), "first the old, then the new"
    assert (len(known), found[0] == found[-1]) == ((1, True) if name == "key" else (2, False))
