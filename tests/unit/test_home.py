"""Files that only their owner can read, whatever the umask (issue: secrets never in clear)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from azext_trust import home


@contextmanager
def _umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_directories_and_files_are_the_owner_s_alone(tmp_path: Path, umask: int) -> None:
    """A directory with its parents is 0700, a file 0600."""
    with _umask(umask):
        home.write_private(tmp_path / "a" / "b" / "written", b"x")
        home.create_private(tmp_path / "a" / "b" / "created", b"x")
    assert [_mode(tmp_path / "a"), _mode(tmp_path / "a" / "b")] == [0o700, 0o700]
    assert [_mode(tmp_path / "a" / "b" / name) for name in ("written", "created")] == [0o600, 0o600]


def test_a_directory_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    """It may be /tmp."""
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "shared").chmod(0o755)
    home.private_dir(tmp_path / "shared")
    assert _mode(tmp_path / "shared") == 0o755


def test_a_file_in_the_way_of_a_directory_is_named(tmp_path: Path) -> None:
    """The error says which name is taken."""
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError) as error:
        home.private_dir(tmp_path / "file" / "below")
    assert error.value.filename == str(tmp_path / "file" / "below") or error.value.filename == str(tmp_path / "file")


def test_the_first_to_create_wins(tmp_path: Path) -> None:
    """Two processes that make one key agree on it."""
    assert home.create_private(tmp_path / "key", b"first") == b"first"
    assert home.create_private(tmp_path / "key", b"second") == b"first"
    assert (tmp_path / "key").read_bytes() == b"first"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk loses nothing."""
    home.write_private(tmp_path / "file", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        home.write_private(tmp_path / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"
