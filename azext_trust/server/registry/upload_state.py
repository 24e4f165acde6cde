"""What is known of uploads without asking anybody: ids that show where they belong, digests that run along."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections import OrderedDict
from threading import Lock
from typing import Protocol

from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors
from azext_trust.server.store.contents import owner

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RunningHash(Protocol):
    """A digest that is being counted."""

    def update(self, data: bytes, /) -> None:
        """Count more."""
        ...

    def hexdigest(self) -> str:
        """Return the digest so far."""
        ...


class Running:
    """What this process has seen of uploads: running digests, whose state cannot be stored, and which are over.

    Another process, or this one after a restart, knows nothing of it: it counts anew from what lies in the store.

    Args:
        most: how many uploads are remembered.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[int, RunningHash | None]] = OrderedDict()

    def take(self, place: str, received: int) -> RunningHash | None:
        """Return the running digest of an upload that holds so many bytes, or None where it must be counted anew."""
        with self._lock:
            offset, known = self._known.pop(place, (-1, None))
        return known if offset == received else (hashlib.sha256() if received == 0 else None)

    def keep(self, place: str, received: int, known: RunningHash) -> None:
        """Remember the running digest of an upload that holds so many bytes."""
        self._put(place, (received, known))

    def end(self, place: str) -> None:
        """Remember that an upload is over."""
        self._put(place, (-1, None))

    def over(self, place: str) -> bool:
        """Tell whether an upload was finished or cancelled here."""
        with self._lock:
            return self._known.get(place) == (-1, None)

    def _put(self, place: str, value: tuple[int, RunningHash | None]) -> None:
        with self._lock:
            self._known[place] = value
            if len(self._known) > self._most:
                self._known.popitem(last=False)


def _mark(call: RegistryCall, made: bytes) -> bytes:
    counted = hashlib.blake2b(made, key=call.here.id.encode(), digest_size=6)
    counted.update(call.params["name"].encode())
    return counted.digest()


def new_id(call: RegistryCall) -> str:
    """Return the id of a new upload. It shows that it was given out for this repository: beginning writes nothing."""
    made = os.urandom(10)
    return str(uuid.UUID(bytes=made + _mark(call, made)))


def place(call: RegistryCall, upload: str, running: Running) -> str:
    """Return the name under which an upload lies in the store of blobs; only its repository leads to it.

    Raises:
        ServiceError: the id was never given out for this repository, or the upload is over.
    """
    if _ID.fullmatch(upload):
        made = uuid.UUID(upload).bytes
        whose = owner(call.here.id, call.params["name"])
        if made[10:] == _mark(call, made[:10]) and not running.over(f"{whose}.{upload}"):
            return f"{whose}.{upload}"
    raise errors.no_upload()
