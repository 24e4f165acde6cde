"""States that cannot be used: one clear line with the cure, exit code 1, nothing lost (issue: bad input)."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from azext_trust.server.store import opening
from azext_trust.server.store.errors import StateError
from azext_trust.server.store.transaction import Store

# Root may do everything, whatever the modes say; root without capabilities may do what they say.
_PLAIN = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
WRITE = ("local", "retirement", "set", "-p", "2026")
READ = ("local", "log", "list")


@pytest.fixture
def state(founded: Path, tmp_path: Path) -> Path:
    """Give a small founded cloud."""
    shutil.copytree(founded, tmp_path / "cloud")
    return tmp_path / "cloud"


def _run(state: Path, *words: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AZTRUST_CONFIG_DIR": str(config or state.parent / "config")}
    command = [*_PLAIN, sys.executable, "-m", "azext_trust", *words, "--state", str(state)]
    return subprocess.run(command, text=True, capture_output=True, env=environment, timeout=60)


def _files(state: Path) -> dict[str, str]:
    """Return the digests of a state's files, but for those that hold nothing."""
    passing = (".lock", "state.db-shm")
    files = [path for path in state.rglob("*") if path.is_file() and path.name not in passing]
    digests = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {path: digest for path, digest in digests.items() if digest != hashlib.sha256().hexdigest()}


def _refused(state: Path, cure: str, words: tuple[str, ...] = WRITE) -> None:
    before = _files(state)
    done = _run(state, *words)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("ERROR: ")
    assert cure in lines[0]
    assert str(state) in lines[0]
    assert _files(state) == before


def _cut(state: Path, size: int) -> None:
    os.truncate(state / "state.db", size)


def _garbage(state: Path) -> None:
    (state / "state.db").write_bytes(hashlib.sha256(b"garbage").digest() * 5000)


def _torn(state: Path) -> None:
    """Overwrite all pages but the first: found only when something is looked for."""
    size = (state / "state.db").stat().st_size
    with (state / "state.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut to nothing": lambda state: _cut(state, 0),
    "cut in the header": lambda state: _cut(state, 50),
    "cut after the first page": lambda state: _cut(state, 4096),
    "half": lambda state: _cut(state, (state / "state.db").stat().st_size // 2),
    "a byte short": lambda state: _cut(state, (state / "state.db").stat().st_size - 1),
    "garbage": _garbage,
    "torn pages": _torn,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database(state: Path, damage: str) -> None:
    """Half a file, or garbage: where the backup goes is told."""
    DAMAGES[damage](state)
    _refused(state, "copy a backup to state.db")


@pytest.mark.parametrize("size", range(0, 200_000, 4096 * 3))
def test_a_database_cut_anywhere(state: Path, size: int) -> None:
    """Wherever it was cut, it is not taken for a smaller or a new one."""
    if size < (state / "state.db").stat().st_size:
        _cut(state, size)
    else:
        _cut(state, size - (state / "state.db").stat().st_size + 1)
    with pytest.raises(StateError, match="is damaged"):
        Store(state)


def test_a_database_without_its_beginning_but_with_a_log(state: Path) -> None:
    """A write-ahead log is not played back into another database."""
    store = Store(state)
    with store.write():
        pass
    (state / "state.db").unlink()
    with pytest.raises(StateError, match=r"Put state\.db back"):
        Store(state)
    store.close()


def test_a_database_put_away_begins_anew(state: Path) -> None:
    """What the message advises works."""
    (state / "state.db").unlink()
    assert _run(state, *WRITE).returncode == 0


def _sealed(path: Path) -> None:
    for each in path.rglob("*"):
        each.chmod(0o500 if each.is_dir() else 0o400)
    path.chmod(0o500)


@pytest.mark.parametrize("words", [WRITE, READ])
def test_a_state_that_may_only_be_read(state: Path, words: tuple[str, ...]) -> None:
    """Reading needs the write-ahead log's index, which lies in the directory too."""
    _sealed(state)
    _refused(state, "Give yourself the right to write there", words)
    state.chmod(0o700)


def test_an_empty_directory_that_may_only_be_read(tmp_path: Path) -> None:
    """Nothing can be founded there."""
    (tmp_path / "cloud").mkdir(mode=0o500)
    _refused(tmp_path / "cloud", "Give yourself the right to write there")


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """The directory above may only be read."""
    (tmp_path / "above").mkdir(mode=0o500)
    done = _run(tmp_path / "above" / "cloud", *WRITE, config=tmp_path / "config")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "cannot be written (Permission denied" in done.stderr


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    """The name is taken."""
    (tmp_path / "cloud").write_text("mine")
    done = _run(tmp_path / "cloud", *WRITE)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "cannot be used (Not a directory" in done.stderr


def test_somebody_else_s_directory(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could exchange the keys: it is refused, by the owner's name, whatever its modes allow."""
    if os.getuid() == 0:
        os.chown(state, 12345, 12345)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(StateError, match=r"belongs to the user \w+, not to you"):
        opening.prepare(state)


@pytest.mark.parametrize("name", ["vault", "operator"])
def test_a_key_file_that_may_not_be_read(state: Path, name: str) -> None:
    """The file is named, and what is missing."""
    (state / "keys" / name).chmod(0)
    done = _run(state, *WRITE)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert f"{state}/keys/{name}" in done.stderr
    assert "Permission denied" in done.stderr
    assert "Give yourself the right to" in done.stderr


@pytest.mark.parametrize(("content", "told"), [(None, "is missing"), (b"", "is damaged"), (b"k" * 32, "exchanged")])
def test_a_key_file_that_is_not_the_one(state: Path, content: bytes | None, told: str) -> None:
    """Missing, damaged or another state's: it is not replaced, since what it sealed would be lost."""
    key = state / "keys" / "vault"
    key.unlink()
    if content is not None:
        key.write_bytes(content)
    _refused(state, told)
    assert key.exists() is (content is not None)


def test_a_state_of_a_newer_version(state: Path) -> None:
    """What to upgrade is told."""
    with closing(sqlite3.connect(state / "state.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    done = _run(state, *WRITE)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "Upgrade aztrust to use it" in done.stderr


@pytest.mark.parametrize("umask", ["000", "022", "277"])
def test_files_are_the_owner_s_alone(tmp_path: Path, umask: str) -> None:
    """Files 0600 and directories 0700, whatever the umask."""
    environment = {**os.environ, "AZTRUST_CONFIG_DIR": str(tmp_path / "config")}
    command = [sys.executable, "-m", "azext_trust", "cloud", "init"]
    subprocess.run(["sh", "-c", f'umask {umask}; exec "$@"', "sh", *command], env=environment, check=True, timeout=60)
    store = Store(tmp_path / "config" / "cloud")
    with store.write():
        found = [tmp_path / "config", *(tmp_path / "config").rglob("*")]
        modes = {path: oct(path.stat().st_mode & 0o777) for path in found}
    store.close()
    assert {path.name for path in modes} >= {"state.db", "state.db-wal", "state.db-shm", "vault", "operator"}
    assert {path: mode for path, mode in modes.items() if mode != ("0o700" if path.is_dir() else "0o600")} == {}


def test_a_database_that_others_could_read_is_closed_to_them(state: Path) -> None:
    """After a copy, for instance."""
    (state / "state.db").chmod(0o644)
    Store(state).close()
    assert (state / "state.db").stat().st_mode & 0o777 == 0o600
