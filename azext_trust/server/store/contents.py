"""Where the bytes of blobs lie, and uploads on their way there.

Nothing here is visible by itself: a blob exists when a row in the database names its location. So bytes may be left
behind by a crash at any moment, and are swept up later; they are never half a blob to anybody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from azext_trust.server.store import clock
from azext_trust.server.store.errors import StateError


class Busy(Exception):
    """Another request is writing to this upload."""


class Reader(Protocol):
    """Open content."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return at most `size` bytes from `offset`; empty at the end."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class Writer(Protocol):
    """An upload that is being appended to; nobody else can meanwhile."""

    @property
    def offset(self) -> int:
        """How many bytes the upload holds."""
        ...

    def write(self, chunks: list[bytes]) -> None:
        """Append.

        Raises:
            OSError: the disk is full or the store cannot be reached; what was written before counts.
        """
        ...

    def settle(self) -> None:
        """Append no more, and let readers of the upload see all that was written."""
        ...

    def close(self) -> None:
        """Stop appending; what was written stays."""
        ...


@dataclass(frozen=True)
class Stale:
    """Something that lies in the store: its name and for how many seconds nobody wrote to it."""

    name: str
    idle: float


class Contents(Protocol):
    """A store of blobs. Every call may block."""

    def received(self, upload: str) -> int | None:
        """Return how many bytes an upload holds, or None when nothing of it has come."""
        ...

    def append(self, upload: str) -> Writer:
        """Open an upload to append to it; the first bytes make it.

        Raises:
            Busy: somebody else is appending.
        """
        ...

    def read_upload(self, upload: str) -> Reader:
        """Open what an upload holds."""
        ...

    def keep(self, upload: str, digest: str) -> str:
        """Make what an upload holds lasting, and return its location. The upload is over."""
        ...

    def put(self, digest: str, chunks: Iterable[bytes]) -> str:
        """Store small content at once, lasting, and return its location."""
        ...

    def abandon(self, upload: str) -> bool:
        """Throw an upload away; False when there was none."""
        ...

    def open(self, location: str) -> Reader:
        """Open stored content.

        Raises:
            FileNotFoundError: nothing lies there.
        """
        ...

    def delete(self, location: str) -> None:
        """Delete stored content; what is not there is no error."""
        ...

    def uploads(self) -> Iterator[Stale]:
        """Yield the uploads that are not over."""
        ...

    def locations(self) -> Iterator[Stale]:
        """Yield the locations of all stored content."""
        ...


def owner(registry_id: str, repository: str) -> str:
    """Return what the names of a repository's uploads begin with, before the first dot."""
    return hashlib.sha256(f"{registry_id}/{repository}".encode()).hexdigest()[:24]


def pieces(reader: Reader, size: int = 1 << 20) -> Iterator[bytes]:
    """Yield open content from its beginning to its end."""
    offset = 0
    while data := reader.read_at(offset, size):
        yield data
        offset += len(data)


def idle_since(moment: float) -> float:
    """Return how many seconds have gone by since a moment of the machine's time."""
    return max(0.0, clock.machine().timestamp() - moment)


KINDS = ("file", "s3", "az", "gs")


def opened(directory: Path, url: str | None) -> Contents:
    """Return the store of blobs of a cloud.

    Args:
        directory: the cloud directory; ``blobs/`` in it is the store unless `url` says otherwise.
        url: ``file:///directory``, ``s3://bucket/prefix``, ``az://container/prefix``, ``gs://bucket/prefix``, or None.

    Raises:
        StateError: it is no such address.
    """
    kind, found, rest = (url or "").partition("://")
    if url and (not found or kind not in KINDS or not rest.strip("/") or (kind == "file" and rest[0] != "/")):
        raise StateError(
            f"Layers cannot lie at '{url}': expected file:///DIRECTORY, s3://BUCKET/PREFIX, az://CONTAINER/PREFIX or "
            "gs://BUCKET/PREFIX."
        )
    if url is None or kind == "file":
        from azext_trust.server.store.contents_local import LocalContents

        return LocalContents(Path(unquote(rest)) if url else directory / "blobs")
    from azext_trust.server.store.contents_remote import RemoteContents

    return RemoteContents.from_url(url)
