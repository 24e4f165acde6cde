"""Whatever is done to the activity log without its key shows (M25)."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from azext_trust.server.store import activity, facts
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.errors import StateError, VaultKeyError
from azext_trust.server.store.transaction import Store
from azext_trust.server.store.vault import Vault
from azext_trust.server.store.verification import Verification, verify

ENTRIES = 9
COLUMNS = [column.name for column in activity.TABLE.columns]
_HEAD = facts.ACTIVITY_HEAD
Rows = list[dict[str, object]]


def _write(store: Store, count: int) -> None:
    for at in range(count):
        with store.write() as transaction:
            transaction.record(Activity(f"test/{at}", "/s", "Allowed", "somebody", f"c{at}", {"after": {"at": at}}))


class Log:
    """A log with some entries, and the hands of somebody who can write the database but lacks the key.

    Args:
        directory: an empty one.
    """

    def __init__(self, directory: Path) -> None:
        self.store = Store(directory)
        _write(self.store, ENTRIES)
        self._rows, self._head = self.rows(), self.head()

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.store.directory / "state.db")) as connection, connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.row_factory = sqlite3.Row
            yield connection

    def rows(self) -> Rows:
        """Return all entries."""
        with self._database() as connection:
            return [dict(row) for row in connection.execute("SELECT * FROM activity ORDER BY sequence")]

    def head(self) -> str:
        """Return the head that the state keeps."""
        with self._database() as connection:
            return str(connection.execute("SELECT value FROM fact WHERE name = ?", (_HEAD,)).fetchone()[0])

    def put(self, rows: Rows, head: str | None = None) -> None:
        """Replace the whole log, and the head when one is given."""
        with self._database() as connection:
            connection.execute("DELETE FROM activity")
            connection.executemany(f"INSERT INTO activity VALUES ({', '.join(f':{name}' for name in COLUMNS)})", rows)
            if head is not None:
                connection.execute("UPDATE fact SET value = ? WHERE name = ?", (head, _HEAD))

    def reset(self) -> None:
        """Put everything back."""
        self.put(self._rows, self._head)

    def shown(self, noted: str = "") -> str:
        """Return what a check finds, also after the cloud has written on."""
        first = _problem(self.store, noted)
        _write(self.store, 2)
        second = _problem(self.store, noted)
        assert bool(first) == bool(second), (first, second)
        return first


def _problem(store: Store, noted: str) -> str:
    try:
        return verify(store, noted).problem
    except StateError as error:
        return str(error)


def _relinked(rows: Rows) -> Rows:
    """Return entries with numbers, links and digests made to fit one another."""
    head, made = activity.GENESIS, []
    for number, row in enumerate(rows, 1):
        row = {**row, "sequence": number, "previous": head}
        head = activity.digest_of([row[name] for name in COLUMNS if name != "digest"])
        made.append({**row, "digest": head})
    return made


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """Give a log; each example puts it back first."""
    made = Log(tmp_path_factory.mktemp("log") / "cloud")
    yield made
    made.store.close()


places = st.integers(0, ENTRIES - 1)
quick = settings(max_examples=40, deadline=None)


@pytest.fixture(autouse=True)
def _whole(log: Log) -> None:
    log.reset()


def test_a_log_nobody_touched_is_whole(log: Log) -> None:
    """M25: what the cloud wrote verifies, and goes on verifying."""
    assert log.shown() == ""


@given(at=places, column=st.sampled_from(COLUMNS), value=st.one_of(st.text(), st.integers(-9, 99), st.binary()))
@quick
def test_a_change_of_any_column_of_any_entry(log: Log, at: int, column: str, value: object) -> None:
    """M25: no value of an entry can be replaced by another, of whatever kind."""
    log.reset()
    rows = log.rows()
    if column == "sequence":
        value = value if isinstance(value, int) else 99
        assume(value not in [row["sequence"] for row in rows])
    # The column's affinity turns numbers into texts.
    assume((str(value) if isinstance(value, int) and column != "sequence" else value) != rows[at][column])
    try:
        rows[at][column] = value
        log.put(rows)
    except (UnicodeEncodeError, sqlite3.Error):
        assume(False)
    assert log.shown()


def test_a_text_that_is_no_text_any_more(log: Log) -> None:
    """M25: bytes that are no UTF-8 in a column of text are shown, not stumbled over."""
    with log._database() as connection:
        connection.execute("UPDATE activity SET details = CAST(x'ff' AS TEXT) WHERE sequence = 3")
    assert log.shown()


@given(gone=st.sets(places, min_size=1))
@quick
def test_entries_taken_away(log: Log, gone: set[int]) -> None:
    """M25: at the beginning, in the middle, at the end, all of them."""
    log.reset()
    log.put([row for at, row in enumerate(log.rows()) if at not in gone])
    assert log.shown()


@given(order=st.permutations(range(ENTRIES)))
@quick
def test_entries_in_another_order(log: Log, order: list[int]) -> None:
    """M25: entries cannot change places."""
    log.reset()
    assume(order != sorted(order))
    rows = log.rows()
    log.put([{**rows[at], "sequence": number} for number, at in enumerate(order, 1)])
    assert log.shown()


@given(first=places, kept=st.integers(1, ENTRIES + 2), head=st.booleans())
@quick
def test_a_log_rewritten_without_the_key(log: Log, first: int, kept: int, head: bool) -> None:
    """M25: a chain made anew, in itself without a flaw, does not fit the seal; nor does a head that is made up."""
    log.reset()
    rows = log.rows()
    rows = [*rows, {**rows[0]}, {**rows[1]}]
    rows[first]["outcome"] = "Denied"
    made = _relinked(rows[: max(kept, first + 1)])
    end = made[-1]
    forged = f"{end['sequence']}:{end['digest']}:{log.head().rpartition(':')[2]}" if head else None
    log.put(made, forged)
    assert log.shown()


@given(head=st.one_of(st.text(st.characters(codec="utf-8")), st.just("0:" + "0" * 64 + ":")))
@quick
def test_a_head_that_was_changed(log: Log, head: str) -> None:
    """M25: the head alone cannot be changed either, and writing on does not mend it."""
    log.reset()
    log.put(log.rows(), head)
    assert log.shown()


def test_a_head_that_was_removed(log: Log) -> None:
    """M25: a log whose head is gone does not pass for a new one."""
    with log._database() as connection:
        connection.execute("DELETE FROM fact WHERE name = ?", (_HEAD,))
    assert log.shown()


@given(number=st.integers(-5, 0) | st.integers(ENTRIES + 1, 10**6))
@quick
def test_entries_slipped_in(log: Log, number: int) -> None:
    """M25: below the first number, at the end, far behind it; the cloud writes on all the same."""
    log.reset()
    rows = log.rows()
    slipped = {**rows[0], "sequence": number, "previous": rows[-1]["digest"]}
    slipped["digest"] = activity.digest_of([slipped[name] for name in COLUMNS if name != "digest"])
    log.put([*rows, slipped])
    assert log.shown()


@given(kept=st.integers(1, ENTRIES - 1))
@quick
def test_an_end_cut_off_with_its_head_is_shown_by_the_noted_head_only(log: Log, kept: int) -> None:
    """M25: entries and head from one older backup fit; only a head noted later than it shows the cut."""
    log.reset()
    rows = log.rows()
    head = activity.Head()
    vault = Vault(log.store.directory)
    for row in rows[:kept]:
        head = head.then(vault, int(str(row["sequence"])), str(row["digest"]))
    log.put(rows[:kept], str(head))
    assert verify(log.store) == Verification(kept, str(rows[kept - 1]["digest"]), "")
    assert log.shown(str(rows[kept - 1]["digest"])) == ""
    assert "noted earlier" in log.shown(str(rows[-1]["digest"]))


@pytest.mark.parametrize("key", [b"k" * 32, b"short", None], ids=["another", "damaged", "none"])
def test_another_key_file(tmp_path: Path, log: Log, key: bytes | None) -> None:
    """M25: a state with another key, a damaged one or none does not open, and says which file it wants back."""
    state = tmp_path / "cloud"
    shutil.copytree(log.store.directory, state)
    (state / "keys" / "vault").unlink()
    if key is not None:
        (state / "keys" / "vault").write_bytes(key)
    _founded(state)
    with pytest.raises(VaultKeyError, match=f"key file {state}/keys/vault .*[Rr]estore"):
        Store(state)


def test_another_key_with_a_proof_to_match(tmp_path: Path, log: Log) -> None:
    """M25: who exchanges the proof as well gets in, and the log shows it."""
    state = tmp_path / "cloud"
    shutil.copytree(log.store.directory, state)
    (state / "keys" / "vault").write_bytes(b"k" * 32)
    with closing(sqlite3.connect(state / "state.db")) as connection, connection:
        connection.execute("UPDATE fact SET value = ? WHERE name = 'vault-check'", (Vault(state).proof(),))
    store = Store(state)
    assert "the key file was exchanged" in verify(store).problem
    store.close()


def _founded(state: Path) -> None:
    with closing(sqlite3.connect(state / "state.db")) as connection, connection:
        connection.execute("INSERT INTO fact VALUES ('tenant-id', 'somewhere')")
