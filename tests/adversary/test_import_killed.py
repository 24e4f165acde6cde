"""An import whose process is killed in the middle of a blob: nothing is half there, and the next process ends it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Reply, Settings
from azext_trust.server.registry.importer import Importer
from azext_trust.server.store import imports
from tests.conftest import Client
from tests.unit.server.registry.conftest import VERSION, Login, digest_of
from tests.unit.server.registry.elsewhere import Elsewhere, elsewhere
from tests.unit.server.registry.importing import ended_at, tags_of

LAYER = bytes(range(256)) * 40_000


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    """Give a registry elsewhere whose blobs stop half way."""
    with elsewhere() as here:
        here.image("v1", LAYER)
        here.held = threading.Event()
        yield here
        here.held.set()


@pytest.fixture
def after(founded: Path, tmp_path: Path, there: Elsewhere) -> Iterator[Login]:
    """Give the cloud as the next process finds it."""
    import shutil

    state = shutil.copytree(founded, tmp_path / "cloud")
    command: list[str | Path] = [sys.executable, "-m", "tests.adversary.importing", state, there.address]
    with subprocess.Popen(command) as process:
        assert there.halfway.wait(60)
        process.kill()
    app = create_app(Settings(state=state, quiet=True))
    yield Login(Client(app))
    app.store.close()


def ended(login: Login) -> Reply:
    """Ask how the one import ended."""
    with login.cloud.app.store.read() as transaction:
        operation = transaction.session.exec(select(imports.ImportOperation.id)).one()
    place = "/subscriptions/x/providers/Microsoft.ContainerRegistry/locations/WESTEUROPE/operationResults"
    return ended_at(login, f"{place}/{operation}?{VERSION}")


def resume(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what a serving process does every few seconds, as if the dead one had been silent for long."""
    monkeypatch.setattr(imports, "SILENT_SECONDS", -1)
    Importer(login.cloud.app.store, login.cloud.app.settings).resume()


def test_taken_up_again(after: Login, there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """M14: nothing is there; the next process goes on, and then all of it is."""
    assert (tags_of(after, "web"), tags_of(after, "copy")) == ([], [])
    assert ended(after).status == 202
    assert there.held is not None
    there.held.set()
    resume(after, monkeypatch)
    assert ended(after).status == 200
    assert (tags_of(after, "web"), tags_of(after, "copy")) == (["v1"], ["v1"])
    assert after.call("GET", f"/v2/copy/blobs/{digest_of(LAYER)}", after.owner("copy")).body == LAYER


def test_given_up(after: Login, there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """M14: when its source is gone meanwhile it fails, whoever polls is told, and nothing is there."""
    there.manifests.clear()
    resume(after, monkeypatch)
    failed = ended(after)
    assert (failed.status, tags_of(after, "web"), tags_of(after, "copy")) == (400, [], [])


def test_one_worker(after: Login, there: Elsewhere) -> None:
    """M14: while the other process gives signs of life, nobody takes its import away."""
    with after.cloud.app.store.read() as transaction:
        assert not imports.left_behind(transaction.session)
    Importer(after.cloud.app.store, after.cloud.app.settings).resume()
    assert ended(after).status == 202
