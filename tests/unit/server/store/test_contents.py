"""What every store of blobs promises: files of a directory, and an object store."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from azext_trust.server.store.contents import Busy, Contents, pieces
from azext_trust.server.store.contents_local import LocalContents
from azext_trust.server.store.contents_remote import RemoteContents

DIGEST = "sha256:" + hashlib.sha256(b"abcdef").hexdigest()


@pytest.fixture(params=["directory", "memory", "object store"])
def contents(request: pytest.FixtureRequest, tmp_path: Path) -> Contents:
    """Give an empty store of each kind."""
    from obstore.store import LocalStore, MemoryStore

    if request.param == "directory":
        return LocalContents(tmp_path / "blobs")
    return RemoteContents(MemoryStore() if request.param == "memory" else LocalStore(tmp_path))


def append(contents: Contents, data: bytes) -> None:
    """Append to the upload ``u``."""
    writer = contents.append("u")
    writer.write([data[:1], data[1:]])
    writer.settle()
    writer.close()


def test_an_upload_becomes_content(contents: Contents) -> None:
    """M14: what came in several requests is one content, read from anywhere."""
    append(contents, b"abc")
    assert contents.received("u") == 3
    append(contents, b"def")
    location = contents.keep("u", DIGEST)
    reader = contents.open(location)
    assert b"".join(pieces(reader, 2)) == b"abcdef"
    assert reader.read_at(4, 10) == b"ef"
    reader.close()
    assert [one.name for one in contents.locations()] == [location]
    assert list(contents.uploads()) == []


def test_thrown_away(contents: Contents) -> None:
    """M14: an abandoned upload and deleted content leave nothing."""
    append(contents, b"abc")
    assert [one.name for one in contents.uploads()] == ["u"]
    assert contents.abandon("u")
    assert not contents.abandon("u")
    location = contents.put(DIGEST, [b"abcdef"])
    contents.delete(location)
    contents.delete(location)
    assert list(contents.locations()) == []
    with pytest.raises(FileNotFoundError):
        contents.open(location)


def test_no_location_is_used_twice(contents: Contents) -> None:
    """M14: the same content laid down again lies elsewhere: deleting the one never hurts the other."""
    first, second = contents.put(DIGEST, [b"abcdef"]), contents.put(DIGEST, [b"abcdef"])
    contents.delete(first)
    assert contents.open(second).read_at(0, 10) == b"abcdef"


def test_one_at_a_time(tmp_path: Path) -> None:
    """M14: two requests cannot append to one upload at once."""
    contents = LocalContents(tmp_path / "blobs")
    writer = contents.append("u")
    with pytest.raises(Busy):
        contents.append("u")
    writer.close()
    contents.append("u").close()


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    """M12: blobs are as private as the state."""
    contents = LocalContents(tmp_path / "blobs")
    path = tmp_path / "blobs" / contents.put(DIGEST, [b"abcdef"])
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
