"""Blobs in an object store (S3, Azure Blob, Google Cloud Storage), through obstore.

An upload is a folder of parts, each named by where it begins: what a request brought is whole or not there, and any
worker goes on where another one stopped. A blob keeps its parts: nothing is copied when an upload is finished.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from azext_trust.server.store.contents import Reader, Stale, Writer, idle_since
from azext_trust.server.store.errors import StateError

_DIGITS = 16
"""Digits of a part's offset in its name: parts sort as they follow one another."""


class RemoteContents:
    """An object store.

    Args:
        store: an obstore store.
    """

    def __init__(self, store: Any) -> None:
        self._store = store

    @classmethod
    def from_url(cls, url: str) -> RemoteContents:
        """Return the store at an address; credentials come from the environment, as obstore documents."""
        from obstore.store import from_url

        return cls(from_url(url))

    def received(self, upload: str) -> int | None:
        """Return how many bytes an upload holds, or None when nothing of it has come."""
        parts = self._parts(f"uploads/{upload}/")
        return sum(size for _, size in parts) if parts else None

    def append(self, upload: str) -> Writer:
        """Open an upload to append to it; the first bytes make it."""
        return _Part(self._store, f"uploads/{upload}/", self.received(upload) or 0)

    def read_upload(self, upload: str) -> Reader:
        """Open what an upload holds."""
        return _Parts(self._store, self._parts(f"uploads/{upload}/"))

    def keep(self, upload: str, digest: str) -> str:
        """Make what an upload holds lasting, and return its location. The upload is over."""
        # A mark beside the parts says that they are a blob's now; the parts stay where they are.
        self._put(f"uploads/{upload}/{_KEPT}", digest.encode())
        return f"uploads/{upload}/"

    def put(self, digest: str, chunks: Iterable[bytes]) -> str:
        """Store small content at once, lasting, and return its location."""
        algorithm, _, encoded = digest.partition(":")
        location = f"{algorithm}/{encoded[:2]}/{encoded}.{secrets.token_hex(4)}/"
        self._put(f"{location}{0:0{_DIGITS}d}", b"".join(chunks))
        return location

    def abandon(self, upload: str) -> bool:
        """Throw an upload away; False when there was none."""
        found = self._names(f"uploads/{upload}/")
        self._delete(found)
        return bool(found)

    def open(self, location: str) -> Reader:
        """Open stored content."""
        parts = self._parts(location)
        if not parts:
            raise FileNotFoundError(location)
        return _Parts(self._store, parts)

    def delete(self, location: str) -> None:
        """Delete stored content; what is not there is no error."""
        self._delete(self._names(location))

    def uploads(self) -> Iterator[Stale]:
        """Yield the uploads that are not over."""
        for name, (idle, kept) in self._folders("uploads/").items():
            if not kept:
                yield Stale(name.removeprefix("uploads/").rstrip("/"), idle)

    def locations(self) -> Iterator[Stale]:
        """Yield the locations of all stored content."""
        for name, (idle, kept) in self._folders("").items():
            if kept or not name.startswith("uploads/"):
                yield Stale(name, idle)

    def _listed(self, prefix: str) -> Iterator[Any]:
        with _reached():
            for batch in self._store.list(prefix or None):
                yield from batch

    def _parts(self, prefix: str) -> list[tuple[str, int]]:
        found = [(entry["path"], int(entry["size"])) for entry in self._listed(prefix)]
        return sorted(part for part in found if not part[0].endswith(_KEPT))

    def _names(self, prefix: str) -> list[str]:
        return [entry["path"] for entry in self._listed(prefix)]

    def _folders(self, prefix: str) -> dict[str, tuple[float, bool]]:
        """Return for each folder the seconds since anything in it was written, and whether it was kept."""
        found: dict[str, tuple[float, bool]] = {}
        for entry in self._listed(prefix):
            name = entry["path"].rpartition("/")[0] + "/"
            idle, kept = found.get(name, (float("inf"), False))
            written = idle_since(entry["last_modified"].timestamp())
            found[name] = (min(idle, written), kept or entry["path"].endswith(_KEPT))
        return found

    def _put(self, name: str, data: bytes) -> None:
        try:
            self._store.put(name, data)
        except Exception as error:
            raise OSError(str(error)) from error

    def _delete(self, names: list[str]) -> None:
        if names:
            with _reached():
                self._store.delete(names)


@contextmanager
def _reached() -> Iterator[None]:
    """Let a failure of the store leave as one of the state's: it says what is out of reach."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        cause = str(error).partition("\n")[0][:300]
        raise StateError(f"The object store in which layers lie cannot be reached or failed: {cause}") from error


_KEPT = "kept"


class _Part:
    """One request's bytes, uploaded in parts of its own while they come; whole when it is closed."""

    def __init__(self, store: Any, prefix: str, offset: int) -> None:
        from obstore import open_writer

        self._begin = self.offset = offset
        self._writer: Any = open_writer(store, f"{prefix}{offset:0{_DIGITS}d}")

    def write(self, chunks: list[bytes]) -> None:
        try:
            for chunk in chunks:
                self._writer.write(chunk)
                self.offset += len(chunk)
        except Exception as error:
            raise OSError(str(error)) from error

    def settle(self) -> None:
        """Make the bytes written so far visible to readers of the upload."""
        self.close()

    def close(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()


class _Parts:
    """Parts that follow one another, read as one."""

    def __init__(self, store: Any, parts: list[tuple[str, int]]) -> None:
        self._store, self._parts = store, parts

    def read_at(self, offset: int, size: int) -> bytes:
        at = 0
        for name, length in self._parts:
            if at <= offset < at + length:
                most = min(size, at + length - offset)
                with _reached():
                    return bytes(self._store.get_range(name, start=offset - at, length=most))
            at += length
        return b""

    def close(self) -> None:
        """Nothing is held open."""
