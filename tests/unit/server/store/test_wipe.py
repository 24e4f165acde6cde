"""What an erasure leaves in the files of a state: nothing (M4)."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from azext_trust.server.store import facts, migrate, registries, trust, wipe
from azext_trust.server.store.errors import UnwipedError
from azext_trust.server.store.transaction import Store
from tests.adversary import trust_data
from tests.conftest import SUBSCRIPTION, Client
from tests.tokens import token_of

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab?api-version=2021-04-01"
REGISTRY = GROUP.replace("?api-version=2021-04-01", "/providers/Microsoft.ContainerRegistry/registries/myregistry")


@pytest.fixture
def state(founded: Path, tmp_path: Path) -> Path:
    """Give a small cloud whose two registries hold trust data, mixed."""
    shutil.copytree(founded, tmp_path / "cloud")
    trust_data.fill(tmp_path / "cloud", {"myregistry": (20, 5), "basicregistry": (20, 5)})
    return tmp_path / "cloud"


@pytest.fixture
def client(state: Path) -> Iterator[Client]:
    """Give that cloud, opened."""
    app = create_app(Settings(state=state, quiet=True))
    yield Client(app)
    app.store.close()


def _erase(store: Store, name: str = "myregistry") -> None:
    with store.write() as transaction:
        registry = registries.by_name(transaction.session, name)
        assert registry is not None
        trust.erase(transaction, registry)


def _moved_about(state: Path, seed: int) -> None:
    """Let rows of both registries share pages, and delete between them so that rows move to their neighbours."""
    connection, rnd = _connected(state), random.Random(seed)
    kinds = [("kept", "myregistry"), ("kept", "basicregistry"), ("gone", "basicregistry")]
    for version, (gun, name) in enumerate(rnd.choices(kinds, [3, 1, 6], k=2000)):
        content = f"{trust_data.MARK.decode()}-{name}-{version}-".encode() * 20
        connection.execute(
            "INSERT INTO trust_metadata SELECT trust_space, ?, 'targets', ?, ?, '', ? FROM registry WHERE name = ?",
            (gun, version, str(version), content, name),
        )
    gone = [row for (row,) in connection.execute("SELECT rowid FROM trust_metadata WHERE gun = 'gone'")]
    rnd.shuffle(gone)
    connection.executemany("DELETE FROM trust_metadata WHERE rowid = ?", [(row,) for row in gone])
    connection.commit()
    connection.close()


def _connected(state: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(state / "state.db")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _leaves_copies(state: Path) -> bool:
    """Delete the rows as an erasure does, and do no more."""
    connection = _connected(state)
    for table in trust_data.TABLES:
        connection.execute(f"DELETE FROM {table} WHERE registry_id IN (SELECT trust_space FROM registry WHERE "
                           "name = 'myregistry')")  # fmt: skip
    connection.commit()
    connection.close()
    return bool(trust_data.marks(state, "myregistry"))


def test_copies_of_rows_that_moved_go_too(founded: Path, tmp_path: Path) -> None:
    """M4: pages keep copies of rows that once moved to a neighbour, which secure_delete does not reach."""
    for seed in range(60):
        state = tmp_path / str(seed)
        shutil.copytree(founded, state)
        _moved_about(state, seed)
        shutil.copytree(state, tmp_path / "control", dirs_exist_ok=True)
        if _leaves_copies(tmp_path / "control"):
            break
    store = Store(state)
    _erase(store)
    assert trust_data.marks(state, "myregistry") == {}
    assert trust_data.marks(state, "basicregistry")
    store.close()


@pytest.mark.parametrize("target", [REGISTRY + "?api-version=2023-07-01", GROUP])
def test_deleting_what_holds_the_trust_data_erases_it(target: str, client: Client, state: Path) -> None:
    """M4: deleting the registry, or its resource group, erases as well."""
    token = token_of(client)
    assert client.call("DELETE", target, token=token).status == 200
    assert trust_data.marks(state, "myregistry") == {}
    assert trust_data.MARK not in (state / "state.db").read_bytes() or "registries" in target


def test_the_log_counts_what_was_erased(client: Client) -> None:
    """M4: the log holds how much was lost, and nothing of it."""
    token = token_of(client)
    client.call("DELETE", GROUP, token=token)
    with client.app.store.read() as transaction:
        details = transaction.session.connection().exec_driver_sql(
            "SELECT details FROM activity ORDER BY sequence DESC LIMIT 1"
        )
        assert '"erased":{"repositories":40,"signedTags":200}' in str(details.scalar())


def test_a_registry_that_never_had_trust_is_deleted_at_once(cloud: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is rewritten where nothing was erased."""
    monkeypatch.setattr(wipe, "finish", lambda *_: pytest.fail("there is nothing to wipe"))
    token = token_of(cloud)
    assert cloud.call("DELETE", REGISTRY + "?api-version=2023-07-01", token=token).status == 200


def _backup(state: Path, name: str) -> Path:
    migrate._back_up(state / "state.db", name)
    return state / f"state.db.{name}.bak"


def test_an_upgrade_s_backup_goes_with_the_trust_data_in_it(state: Path) -> None:
    """M4: a backup of before an upgrade would keep what was erased."""
    backup = _backup(state, "0002")
    store = Store(state)
    assert backup.name in trust_data.marks(state, "myregistry")
    _erase(store)
    assert not backup.exists()
    store.close()


def test_a_backup_without_trust_data_stays(founded: Path, tmp_path: Path, state: Path) -> None:
    """Nothing is taken that needs not go."""
    shutil.copytree(founded, tmp_path / "older")
    kept = _backup(tmp_path / "older", "0001").rename(state / "state.db.0001.bak")
    store = Store(state)
    _erase(store)
    assert kept.exists()
    store.close()


def test_a_backup_that_cannot_be_read_goes(state: Path) -> None:
    """M4: what cannot be looked into may hold trust data."""
    broken = state / "state.db.0001.bak"
    broken.write_bytes(_backup(state, "0002").read_bytes()[:5000])
    store = Store(state)
    _erase(store)
    assert not broken.exists()
    store.close()


def _full(*_: object) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    raise OperationalError("VACUUM", {}, error)


def test_a_full_disk_while_wiping_is_told_and_made_up_for(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M4: success is not reported; the next start finishes."""
    store = Store(state)
    with monkeypatch.context() as patched:
        patched.setattr(wipe, "_advance", _full)
        with pytest.raises(UnwipedError, match="cannot be wiped from the disk yet: database or disk is full"):
            _erase(store)
    store.close()
    Store(state).close()
    assert trust_data.marks(state, "myregistry") == {}


def test_a_state_with_bytes_to_wipe_does_not_open_before_it_is_done(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M4: the next start finishes the erasure before it serves, or does not serve."""
    store = Store(state)
    with store.write() as transaction:
        wipe.ask(transaction.session)
        monkeypatch.setattr(wipe, "_advance", _full)
    store.close()
    with pytest.raises(UnwipedError):
        Store(state)


def test_the_note_goes_when_the_bytes_are_gone(state: Path) -> None:
    """Nothing is left to do twice."""
    store = Store(state)
    _erase(store)
    with store.read() as transaction:
        assert facts.WIPE not in facts.known(transaction.session)
    store.close()


@pytest.mark.parametrize("before", [wipe.DELETE, wipe.REWRITE, wipe.TRUNCATE])
def test_an_erasure_goes_on_from_where_it_stopped(before: str, state: Path) -> None:
    """A checkpoint that waits for a reader does not write everything anew each time."""
    store = Store(state)
    seen: list[str] = []
    with store.write() as transaction:
        facts.put(transaction.session, facts.WIPE, before)
        transaction.truncate = True
        _listen(store, seen.append)
    assert ("VACUUM" in seen) is (before != wipe.TRUNCATE)
    store.close()


def _listen(store: Store, told: Callable[[str], None]) -> None:
    from sqlalchemy import event

    event.listen(store.engine, "before_cursor_execute", lambda _c, _k, statement, *_: told(statement))
