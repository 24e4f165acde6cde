"""Blobs as files of a directory, by plain file calls (docs/decisions: why not through obstore)."""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from azext_trust import home
from azext_trust.server.store.contents import Busy, Reader, Stale, Writer, idle_since

AHEAD = 8 * 1024 * 1024
"""After how many bytes of an upload the system is told to begin writing them."""
_SYNC_FILE_RANGE_WRITE = 2
_NO_FOLLOW = os.O_CLOEXEC | os.O_NOFOLLOW


class LocalContents:
    """A directory: ``uploads/<name>`` and ``<algorithm>/<two digits>/<digest>.<nonce>``.

    Args:
        directory: made (owner-only) when something is first written.
    """

    def __init__(self, directory: Path) -> None:
        self._root = str(directory)
        self._uploads = str(directory / "uploads")
        self._made: set[str] = set()

    def received(self, upload: str) -> int | None:
        """Return how many bytes an upload holds, or None when nothing of it has come."""
        try:
            return os.stat(f"{self._uploads}/{upload}").st_size
        except FileNotFoundError:
            return None

    def append(self, upload: str) -> Writer:
        """Open an upload to append to it; the first bytes make it."""
        path = f"{self._uploads}/{upload}"
        handle = self._opened(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # It may have been kept or thrown away between opening and locking.
            if os.fstat(handle).st_nlink == 0 or os.stat(path).st_ino != os.fstat(handle).st_ino:
                raise Busy(upload)
        except (BlockingIOError, FileNotFoundError):
            os.close(handle)
            raise Busy(upload) from None
        except BaseException:
            os.close(handle)
            raise
        return _Appending(handle)

    def read_upload(self, upload: str) -> Reader:
        """Open what an upload holds."""
        return LocalReader(os.open(f"{self._uploads}/{upload}", os.O_RDONLY | _NO_FOLLOW))

    def keep(self, upload: str, digest: str) -> str:
        """Make what an upload holds lasting, and return its location. The upload is over."""
        location = self._location(digest)
        path = self._path(location)
        self._folder(os.path.dirname(path))
        os.rename(f"{self._uploads}/{upload}", path)
        # After the rename: a file system that logs names writes the new one down with the content.
        handle = os.open(path, os.O_RDONLY | _NO_FOLLOW)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return location

    def put(self, digest: str, chunks: Iterable[bytes]) -> str:
        """Store small content at once, lasting, and return its location."""
        location = self._location(digest)
        path = self._path(location)
        handle = self._opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            _write_all(handle, list(chunks))
            os.fsync(handle)
        except BaseException:
            with suppress(OSError):
                os.unlink(path)
            raise
        finally:
            os.close(handle)
        return location

    def abandon(self, upload: str) -> bool:
        """Throw an upload away; False when there was none."""
        try:
            os.unlink(f"{self._uploads}/{upload}")
        except FileNotFoundError:
            return False
        return True

    def open(self, location: str) -> Reader:
        """Open stored content."""
        return LocalReader(os.open(self._path(location), os.O_RDONLY | _NO_FOLLOW))

    def delete(self, location: str) -> None:
        """Delete stored content; what is not there is no error."""
        with suppress(FileNotFoundError):
            os.unlink(self._path(location))

    def uploads(self) -> Iterator[Stale]:
        """Yield the uploads that are not over."""
        yield from _files(self._uploads, "")

    def locations(self) -> Iterator[Stale]:
        """Yield the locations of all stored content."""
        for algorithm in _folders(self._root):
            if algorithm == "uploads":
                continue
            for folder in _folders(f"{self._root}/{algorithm}"):
                yield from _files(f"{self._root}/{algorithm}/{folder}", f"{algorithm}/{folder}/")

    @staticmethod
    def _location(digest: str) -> str:
        algorithm, _, encoded = digest.partition(":")
        return f"{algorithm}/{encoded[:2]}/{encoded}.{secrets.token_hex(4)}"

    def _path(self, location: str) -> str:
        return f"{self._root}/{location}"

    def _folder(self, path: str) -> None:
        if path not in self._made:
            home.private_dir(Path(path))
            self._made.add(path)

    def _opened(self, path: str, flags: int) -> int:
        self._folder(os.path.dirname(path))
        try:
            return os.open(path, flags | _NO_FOLLOW, 0o600)
        except FileNotFoundError:
            # Somebody removed the folder meanwhile.
            self._made.discard(os.path.dirname(path))
            self._folder(os.path.dirname(path))
            return os.open(path, flags | _NO_FOLLOW, 0o600)


class LocalReader:
    """An open file.

    Args:
        handle: its descriptor, closed with the reader.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        # Who stops reading closes while another thread may still read ahead.
        self._lock = threading.Lock()

    def read_at(self, offset: int, size: int) -> bytes:
        """Return at most `size` bytes from `offset`; empty at the end, and once it is closed."""
        with self._lock:
            return os.pread(self._handle, size, offset) if self._handle >= 0 else b""

    def close(self) -> None:
        """Give it back."""
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1


class _Appending:
    def __init__(self, handle: int) -> None:
        self._handle = handle
        self.offset = self._begun = os.fstat(handle).st_size

    def write(self, chunks: list[bytes]) -> None:
        self.offset += _write_all(self._handle, chunks)
        if self.offset - self._begun >= AHEAD:
            _begin_writing(self._handle, self._begun, self.offset - self._begun)
            self._begun = self.offset

    def settle(self) -> None:
        """All that was written is in the file; the lock stays until `close`."""

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _begin_writing(handle: int, offset: int, size: int) -> None:
    """Let the system begin to write to the disk, so that little is left to wait for at the end (sync_file_range(2))."""
    begin = _sync_file_range()
    if begin is not None:
        # Only a hint: what it says of errors, the fsync at the end says again.
        begin(handle, offset, size, _SYNC_FILE_RANGE_WRITE)


@cache
def _sync_file_range() -> Callable[[int, int, int, int], int] | None:
    """Return the C library's function, None where there is none (it is Linux's own)."""
    import ctypes

    found = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if found is not None:
        found.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return found


def _write_all(handle: int, chunks: list[bytes]) -> int:
    wanted = sum(len(chunk) for chunk in chunks)
    written = os.writev(handle, chunks[:1000]) if chunks else 0
    if written < wanted:
        # Many pieces, or the disk took a part: what is left goes as one.
        rest = memoryview(b"".join(chunks))[written:]
        while rest:
            rest = rest[os.write(handle, rest) :]
    return wanted


def _folders(path: str) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _files(path: str, prefix: str) -> Iterator[Stale]:
    try:
        entries = list(os.scandir(path))
    except FileNotFoundError:
        return
    for entry in entries:
        with suppress(FileNotFoundError):
            found = entry.stat(follow_symlinks=False)
            # Renaming moves the time of change: what was just kept is not idle, however old its last byte is.
            yield Stale(prefix + entry.name, idle_since(max(found.st_mtime, found.st_ctime)))
