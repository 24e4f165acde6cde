"""Fetching and verifying a repository's trust data: the driver of `tuf.trusted` (TUF specification section 5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from azext_trust.clients.notary_errors import NoTrustData, RemoteError, Unavailable
from azext_trust.signing.cache import TrustCache
from azext_trust.signing.errors import NotInitialized
from azext_trust.signing.notary import Remote
from azext_trust.tuf import roles, verify
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import (
    ForgedMetadata,
    FreezeAttack,
    MalformedMetadata,
    RootRotationAttack,
    TrustError,
    TufError,
    WrongRole,
)
from azext_trust.tuf.metadata import FileMeta, Targets
from azext_trust.tuf.trusted import TrustedSet

MAX_ROOTS = 1024
"""How many successors of a root are followed in one update (5.3.1: Y)."""
STALE = (
    "Error while downloading remote metadata, using cached timestamp - this might not be the latest version available "
    "remotely"
)
GONE = (
    "The server has no trust data of this repository: if content trust was disabled there, its signatures are gone for "
    "good, and what you see is only this machine's copy. 'aztrust trust cache clear {gun}' forgets it."
)


_OFF = 405
"""What the server answers where content trust is off (acr-content-trust-facts.md section 4)."""


@dataclass
class Loaded:
    """A verified collection.

    Attributes:
        trusted: root, timestamp, snapshot and targets that are believed.
        warnings: what docker would warn of: roles passed by, a server that could not be asked.
        stale: the server could not be asked, and the cache answered.
    """

    trusted: TrustedSet
    warnings: list[str] = field(default_factory=list)
    stale: bool = False

    @property
    def targets(self) -> dict[str, Targets]:
        """Role to verified targets."""
        return self.trusted.targets


def load(
    remote: Remote,
    cache: TrustCache,
    now: datetime,
    *,
    pinned: Collection[str] | None = None,
    offline: bool = True,
) -> Loaded:
    """Bring a repository's trust data up to date and verify all of it.

    Args:
        remote: the server.
        cache: what was trusted the last time; brought up to date when everything verifies.
        now: the moment for expiry.
        pinned: ids of root keys to which the first trust is limited.
        offline: a server that does not answer may be replaced by a complete, unexpired cache, as docker does;
            whoever is going to publish must not.

    Raises:
        NotInitialized: the server has no trust data of the repository.
        RemoteError: it cannot be asked.
        TrustError, MalformedMetadata: what it sent is not to be trusted; the class names the attack.
    """
    return _Update(remote, cache, now, pinned, offline).run()


class _Update:
    """One update; arguments as in `load`."""

    def __init__(
        self, remote: Remote, cache: TrustCache, now: datetime, pinned: Collection[str] | None, offline: bool
    ) -> None:
        self.remote = remote
        self.cache = cache
        self.offline = offline
        self.loaded = Loaded(TrustedSet(remote.gun, now, pinned))
        self.trusted = self.loaded.trusted
        self.fresh: dict[str, bytes] = {}

    def run(self) -> Loaded:
        """Go through the steps."""
        self._start()
        try:
            self._refresh()
        except TufError as error:
            # A timestamp, snapshot or root that does not fit may mean that there is a newer root: look (5.3).
            if not self._update_root():
                raise error from None
            self._refresh()
        for role, raw in self.fresh.items():
            self.cache.write(role, raw)
        return self.loaded

    def _start(self) -> None:
        """Step 5.2: what was trusted the last time, else the first root."""
        cached = self.cache.read(roles.ROOT)
        if cached is not None:
            self.trusted.load_trusted_root(cached)
            for role in (roles.TIMESTAMP, roles.SNAPSHOT, *self.cache.cached_roles()):
                before = self.cache.read(role)
                if before is not None:
                    self.trusted.remember(role, before)
            return
        try:
            raw = self.remote.fetch(roles.ROOT, verify.MAX_METADATA)
        except NoTrustData:
            raise NotInitialized(self.remote.server, self.remote.gun) from None
        self.trusted.trust_first_root(raw)
        self.fresh[roles.ROOT] = raw

    # Root

    def _update_root(self) -> bool:
        """Step 5.3: follow the chain of roots, each signed by the one before; tell whether there was a newer one."""
        trusted = self.trusted.root
        assert trusted is not None  # _start has set it
        try:
            newest = self.remote.fetch(roles.ROOT, verify.MAX_METADATA)
        except NoTrustData:
            raise NotInitialized(self.remote.server, self.remote.gun) from None
        except RemoteError:
            return False
        if newest == trusted.envelope.raw:
            return False
        verify.require_size(newest, verify.MAX_METADATA, roles.ROOT)
        last = Envelope.parse(newest).fields.get("version")
        if type(last) is not int or last > trusted.version + MAX_ROOTS:
            raise RootRotationAttack
        for version in range(trusted.version + 1, last):
            self.trusted.update_root(self.remote.fetch(f"{version}.{roles.ROOT}", verify.MAX_METADATA))
        self.trusted.update_root(newest)
        self.trusted.check_root_expiry()
        self.fresh[roles.ROOT] = newest
        return True

    # Timestamp, snapshot, targets

    def _refresh(self) -> None:
        self._timestamp()
        timestamp = self.trusted.timestamp
        assert timestamp is not None  # _timestamp has set it
        announced = timestamp.meta(roles.SNAPSHOT)
        assert announced is not None  # a timestamp without it does not parse
        raw = self._announced(roles.SNAPSHOT, announced)
        self.trusted.update_snapshot(raw)
        self.fresh[roles.SNAPSHOT] = raw
        self._targets()

    def _timestamp(self) -> None:
        """Step 5.4: always asked for; only a server that gives none is replaced by an unexpired cache."""
        self.trusted.check_root_expiry()
        try:
            raw = self.remote.fetch(roles.TIMESTAMP, verify.MAX_TIMESTAMP)
        except RemoteError as error:
            cached = self.cache.read(roles.TIMESTAMP)
            if cached is None or not self.offline:
                if isinstance(error, NoTrustData):
                    raise NotInitialized(self.remote.server, self.remote.gun) from None
                raise
            self.trusted.update_timestamp(cached)
            self.loaded.warnings += [STALE, _cause(error).format(gun=self.remote.gun)]
            self.loaded.stale = True
            return
        self.trusted.update_timestamp(raw)
        self.fresh[roles.TIMESTAMP] = raw

    def _announced(self, role: str, announced: FileMeta) -> bytes:
        """Return metadata of which hash and length are known: from the cache when it holds just them."""
        cached = self.cache.read(role)
        if cached is not None:
            try:
                verify.require_announced(cached, announced, role)
                return cached
            except TrustError:
                pass
        return self.remote.fetch(f"{role}.{announced.sha256}", announced.length)

    def _targets(self) -> None:
        """Step 5.6: targets, then delegations, parents first; a delegation that does not verify is passed by."""
        snapshot = self.trusted.snapshot
        assert snapshot is not None  # _refresh has set it
        waiting = [roles.TARGETS]
        while waiting:
            role = waiting.pop(0)
            announced = snapshot.meta(role)
            if announced is None:
                continue
            raw = self._announced(role, announced)
            try:
                loaded = self.trusted.update_targets(raw, role)
            except (FreezeAttack, ForgedMetadata) as error:
                if role == roles.TARGETS:
                    raise
                self.loaded.warnings.append(f"Error getting {role}: {error}")
                continue
            except (WrongRole, MalformedMetadata):
                raise
            self.fresh[role] = raw
            waiting = [*loaded.delegations, *waiting]


def _cause(error: RemoteError) -> str:
    gone = isinstance(error, NoTrustData) or (isinstance(error, Unavailable) and error.status == _OFF)
    return GONE if gone else str(error).replace("{", "{{").replace("}", "}}")
