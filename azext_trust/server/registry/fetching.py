"""Brings blobs from a registry elsewhere into a repository; what a broken try has brought is not fetched again."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

import requests
import urllib3

from azext_trust.server.registry import import_failures
from azext_trust.server.registry.import_failures import Failed
from azext_trust.server.registry.manifest_form import Descriptor
from azext_trust.server.registry.receiving import record
from azext_trust.server.registry.upload_state import RunningHash
from azext_trust.server.registry.upstream import Upstream
from azext_trust.server.store import blobs
from azext_trust.server.store.contents import Busy, Writer, owner, pieces
from azext_trust.server.store.transaction import Store

AT_ONCE = 3
"""Blobs that come at the same time, as in docker's client."""
TRIES = 4
"""How often a blob is asked for, each time from where the connection broke."""
PAUSE_SECONDS = 1.0
_BROKEN = (OSError, requests.RequestException, urllib3.exceptions.HTTPError)


class Stopped(Exception):
    """The process ends, or somebody else works on the import now."""


class Fetcher:
    """Fetches the blobs of one import.

    Args:
        store: the state.
        upstream: the source.
        arrival: makes the arrival of a blob in the target repository: digest, size, location, content.
        name: what the uploads of this import begin with; the same again when it is taken up by somebody else.
        going_on: raises `Stopped` when the work is to end; called again and again.
    """

    def __init__(
        self, store: Store, upstream: Upstream, arrival: Callable[..., blobs.Arrival], name: str,
        going_on: Callable[[], None],
    ) -> None:  # fmt: skip
        self._store, self._upstream, self._arrival = store, upstream, arrival
        self._name, self._alive = name, going_on
        self._over = threading.Event()

    def _going_on(self) -> None:
        self._alive()
        if self._over.is_set():
            raise Stopped

    def fetch(self, wanted: Iterable[Descriptor]) -> None:
        """Bring blobs, some at once.

        Raises:
            Failed: one cannot be had.
            Stopped: the work is to end.
        """
        with ThreadPoolExecutor(AT_ONCE, "import") as executor:
            running: list[Future[None]] = [executor.submit(self.one, blob) for blob in wanted]
            try:
                done, _ = wait(running, return_when=FIRST_EXCEPTION)
            finally:
                # After a failure, or Ctrl-C, the others would come for nothing.
                self._over.set()
                for one in running:
                    one.cancel()
            for one in done:
                one.result()

    def one(self, wanted: Descriptor) -> None:
        """Bring one blob."""
        place = self._place(wanted)
        for attempt in range(TRIES):
            try:
                began = self._go_on(wanted, place)
                if self._landed(wanted, place):
                    return
                if not began:
                    raise import_failures.copying(f"The blob {wanted.digest} is not what its digest says.")
            except _BROKEN as error:
                if attempt + 1 == TRIES:
                    raise import_failures.copying(f"The blob {wanted.digest} breaks off: {error}") from None
                self._going_on()
                time.sleep(PAUSE_SECONDS * attempt)

    def _place(self, wanted: Descriptor) -> str:
        arrival = self._arrival(wanted.digest, wanted.size, None, b"")
        whose = owner(arrival.registry_id, arrival.repository)
        return f"{whose}.{self._name}-{hashlib.sha256(wanted.digest.encode()).hexdigest()[:32]}"

    def _go_on(self, wanted: Descriptor, place: str) -> int:
        """Append to what has come of a blob until it is whole, and return how much had come before."""
        contents = self._store.contents
        received = contents.received(place) or 0
        if received == wanted.size and received:
            return received
        with self._upstream.blob(wanted.digest, received) as (at, coming):
            if at != received:
                # The registry knows no ranges: from the beginning.
                contents.abandon(place)
            try:
                writer = contents.append(place)
            except Busy:
                raise Stopped from None
            try:
                self._write(wanted, writer, coming)
            finally:
                writer.close()
        return at

    def _write(self, wanted: Descriptor, writer: Writer, coming: Iterable[bytes]) -> None:
        for piece in coming:
            self._going_on()
            if writer.offset + len(piece) > wanted.size:
                raise import_failures.copying(f"The blob {wanted.digest} is larger than {wanted.size} bytes.")
            writer.write([piece])
        if writer.offset < wanted.size:
            raise OSError(f"it ends after {writer.offset} of {wanted.size} bytes")
        writer.settle()

    def _landed(self, wanted: Descriptor, place: str) -> bool:
        """Let the repository hold what came; False when it was something else and is thrown away."""
        contents = self._store.contents
        small = b"".join(self._read(place)) if wanted.size <= blobs.INLINE else None
        if not self._is(wanted, self._read(place) if small is None else [small]):
            contents.abandon(place)
            return False
        location = "" if small is not None else contents.keep(place, wanted.digest)
        try:
            record(self._store, self._arrival(wanted.digest, wanted.size, location, small or b""))
        except BaseException:
            if location:
                contents.delete(location)
            raise
        if small is not None:
            contents.abandon(place)
        return True

    def _read(self, place: str) -> Iterable[bytes]:
        reader = self._store.contents.read_upload(place)
        try:
            yield from pieces(reader)
        finally:
            reader.close()

    def _is(self, wanted: Descriptor, content: Iterable[bytes]) -> bool:
        algorithm, _, encoded = wanted.digest.partition(":")
        counted: RunningHash = hashlib.new(algorithm)
        for piece in content:
            self._going_on()
            counted.update(piece)
        return counted.hexdigest() == encoded


__all__ = ["Failed", "Fetcher", "Stopped"]
