"""What a client believes of one repository: the client workflow of the TUF specification, section 5.

Bytes go in; a verified object comes out, or an exception that names the attack. The order of loading is enforced:
root, timestamp, snapshot, targets, delegations from the top. Nothing is fetched here; `signing.updater` does that.

Notary's dialect differs from specification 1.0, and the steps are adapted where it must be:
- the snapshot lists root.json too, and a root that it does not announce is not the newest (5.3.9 has no such check);
- timestamp and snapshot announce hash and length, no versions: rollback (5.4.3, 5.5.5, 5.6.4) is found by comparing
  versions inside the metadata with those trusted before;
- the first root of a repository is taken on its first use over TLS, unless its certificate is pinned.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TypeVar

from azext_trust.tuf import certificates, roles, verify
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import (
    MixAndMatchAttack,
    RollbackAttack,
    RootRotationAttack,
    TrustError,
    TufError,
    UndelegatedRole,
    UntrustedRoot,
    WrongOrder,
)
from azext_trust.tuf.metadata import FileMeta, Role, Root, Signed, Snapshot, Targets, Timestamp

T = TypeVar("T")


def accept_root(
    envelope: Envelope, gun: str, now: datetime, previous: Root | None, pinned: Collection[str] | None = None
) -> Root:
    """Verify a root by itself and, where there is one, by the root before it (notary trustpinning/certs.go).

    Neither version nor expiry is checked here; the callers do, because an intermediate root may be expired.

    Args:
        envelope: the root offered.
        gun: the repository's name, which its certificate must bear.
        now: for the certificate's expiry.
        previous: the root trusted so far.
        pinned: ids of root keys (certificates) to which trust is limited; None trusts on first use.

    Raises:
        WrongRole, MalformedMetadata: it is no root.
        UntrustedRoot: no usable certificate, none that is pinned, or too few signatures of its own keys.
        RootRotationAttack: the previous root's keys did not sign it.
    """
    root = Root(envelope)
    role = root.of(roles.ROOT)
    own = certificates.valid_root_keys(role.keys, gun, now)
    if not own:
        raise UntrustedRoot("unable to retrieve valid leaf certificates")
    if previous is not None:
        before = previous.of(roles.ROOT)
        try:
            trusted = certificates.valid_root_keys(before.keys, gun, None)
            verify.require_signatures(envelope, before.with_keys(trusted))
        except TrustError:
            raise RootRotationAttack from None
    elif pinned is not None:
        own = {key_id: key for key_id, key in own.items() if key_id in pinned}
        if not own:
            raise UntrustedRoot("unable to match any certificates to trust_pinning config")
    try:
        verify.require_signatures(envelope, role.with_keys(own))
    except TrustError:
        raise UntrustedRoot("failed to validate integrity of roots") from None
    return root


class TrustedSet:
    """The metadata of one repository that are believed so far.

    Args:
        gun: the repository's name.
        now: one moment for all checks of an update (5.1).
        pinned: see `accept_root`.

    Attributes:
        root, timestamp, snapshot: what is believed, None before it was loaded.
        targets: role to metadata, ``targets`` and delegations.
        floor: role to the version below which nothing is believed again.
    """

    def __init__(self, gun: str, now: datetime, pinned: Collection[str] | None = None) -> None:
        self.gun = gun
        self.now = now
        self.pinned = pinned
        self.root: Root | None = None
        self.timestamp: Timestamp | None = None
        self.snapshot: Snapshot | None = None
        self.targets: dict[str, Targets] = {}
        self.floor: dict[str, int] = {}
        self._before: dict[str, Targets] = {}

    # Root

    def load_trusted_root(self, raw: bytes) -> Root:
        """Step 5.2: the root that was trusted the last time. It may be expired: only its successor need not be.

        Raises:
            WrongOrder: a root is loaded already.
            UntrustedRoot: it was tampered with since.
        """
        if self.root is not None:
            raise WrongOrder("a root is trusted already")
        # Whether its certificate has expired since does not matter (5.2): the certificate's own time is used.
        envelope = Envelope.parse(raw)
        root = Root(envelope)
        role = root.of(roles.ROOT)
        keys = certificates.valid_root_keys(role.keys, self.gun, None)
        if not keys:
            raise UntrustedRoot("unable to retrieve valid leaf certificates")
        try:
            verify.require_signatures(envelope, role.with_keys(keys))
        except TrustError:
            raise UntrustedRoot("failed to validate integrity of roots") from None
        self.root = root
        return root

    def trust_first_root(self, raw: bytes) -> Root:
        """Take the first root of a repository, on first use or because its certificate is pinned.

        Raises:
            WrongOrder: a root is trusted already: only `update_root` may replace it.
        """
        if self.root is not None:
            raise WrongOrder("a root is trusted already")
        verify.require_size(raw, verify.MAX_METADATA, roles.ROOT)
        self.root = accept_root(Envelope.parse(raw), self.gun, self.now, None, self.pinned)
        return self.root

    def update_root(self, raw: bytes) -> Root:
        """Steps 5.3.3 to 5.3.8: take the successor of the trusted root.

        Raises:
            RootRotationAttack: the trusted root did not sign it (5.3.4).
            RollbackAttack: it is not the next version (5.3.5).
        """
        before = self._need(self.root, roles.ROOT)
        if self.snapshot is not None:
            raise WrongOrder("root must be loaded before snapshot")
        verify.require_size(raw, verify.MAX_METADATA, roles.ROOT)  # 5.3.3
        root = accept_root(Envelope.parse(raw), self.gun, self.now, before)  # 5.3.4
        if root.version != before.version + 1:  # 5.3.5
            if root.version <= before.version:
                raise RollbackAttack(roles.ROOT, root.version, before.version)
            raise RootRotationAttack(f"version {root.version} does not follow {before.version}")
        # 5.3.6, its expiry, waits for 5.3.10: an intermediate root may be expired.
        self.root = root
        self._recover(before, root)
        return root

    def _recover(self, before: Root, root: Root) -> None:
        """Step 5.3.11: new keys end a fast-forward attack that was made with the old ones."""
        for name in (roles.TIMESTAMP, roles.SNAPSHOT, roles.TARGETS):
            if set(before.of(name).keys) != set(root.of(name).keys):
                self.floor.pop(name, None)
                if name != roles.TARGETS:
                    self.timestamp = None

    def check_root_expiry(self) -> None:
        """Step 5.3.10: the newest root must not be expired.

        Raises:
            FreezeAttack: it is.
        """
        verify.require_unexpired(self._need(self.root, roles.ROOT), self.now)

    # What was trusted before

    def remember(self, role: str, raw: bytes) -> None:
        """Take the version of cached metadata as the floor, if they still verify; never believe them otherwise.

        Cached metadata may be expired; those that the trusted root's keys did not sign say nothing.

        Args:
            role: whose they are; targets must be remembered before their delegations.
            raw: what the cache holds.
        """
        try:
            envelope = Envelope.parse(raw)
            verify.require_signatures(envelope, self._role_of(role, self._before))
            signed = _CLASSES.get(role, Targets)(envelope, role)
        except TufError:
            return
        self.floor[role] = max(self.floor.get(role, 0), signed.version)
        if isinstance(signed, Targets):
            self._before[role] = signed

    # Timestamp, snapshot, targets

    def update_timestamp(self, raw: bytes) -> Timestamp:
        """Step 5.4: take a timestamp.

        Raises:
            ForgedMetadata: the root's timestamp keys did not sign it (5.4.2).
            RollbackAttack: an older version than one seen before (5.4.3).
            FreezeAttack: it is expired (5.4.4).
            EndlessDataAttack: it is larger than any timestamp (5.4.1).
        """
        self.check_root_expiry()
        if self.snapshot is not None:
            raise WrongOrder("timestamp must be loaded before snapshot")
        verify.require_size(raw, verify.MAX_TIMESTAMP, roles.TIMESTAMP)  # 5.4.1
        envelope = Envelope.parse(raw)
        verify.require_signatures(envelope, self._need(self.root, roles.ROOT).of(roles.TIMESTAMP))  # 5.4.2
        timestamp = Timestamp(envelope)
        self._require_no_rollback(timestamp)  # 5.4.3
        verify.require_unexpired(timestamp, self.now)  # 5.4.4
        self.timestamp = timestamp
        return timestamp

    def update_snapshot(self, raw: bytes) -> Snapshot:
        """Step 5.5: take the snapshot that the timestamp announces.

        Raises:
            MixAndMatchAttack: it is another one (5.5.2), or lists another root than the trusted one.
            ForgedMetadata: the root's snapshot keys did not sign it (5.5.3).
            RollbackAttack: an older version than one seen before (5.5.5).
            FreezeAttack: it is expired (5.5.6).
        """
        timestamp = self._need(self.timestamp, roles.TIMESTAMP)
        verify.require_announced(raw, _announced(timestamp, roles.SNAPSHOT), roles.SNAPSHOT)  # 5.5.1, 5.5.2
        envelope = Envelope.parse(raw)
        verify.require_signatures(envelope, self._need(self.root, roles.ROOT).of(roles.SNAPSHOT))  # 5.5.3
        snapshot = Snapshot(envelope)
        self._require_no_rollback(snapshot)  # 5.5.5; 5.5.4 compares versions that notary does not announce
        verify.require_unexpired(snapshot, self.now)  # 5.5.6
        # Notary's dialect: the snapshot pins the root, so an old root with a new snapshot is a mixture.
        root = self._need(self.root, roles.ROOT)
        verify.require_announced(root.envelope.raw, _announced(snapshot, roles.ROOT), roles.ROOT)
        self.snapshot = snapshot
        return snapshot

    def update_targets(self, raw: bytes, role: str = roles.TARGETS) -> Targets:
        """Step 5.6: take targets or a delegation that the snapshot announces.

        Raises:
            UndelegatedRole: no loaded metadata delegate to this role (5.6.7).
            MixAndMatchAttack: the snapshot announces others (5.6.1, 5.6.2).
            ForgedMetadata: the delegator's keys did not sign them (5.6.3).
            RollbackAttack: an older version than one seen before (5.6.4).
            FreezeAttack: they are expired (5.6.5).
        """
        snapshot = self._need(self.snapshot, roles.SNAPSHOT)
        signers = self._role_of(role, self.targets)
        verify.require_announced(raw, _announced(snapshot, role), role)  # 5.6.1, 5.6.2
        envelope = Envelope.parse(raw)
        verify.require_signatures(envelope, signers)  # 5.6.3
        targets = Targets(envelope, role)
        self._require_no_rollback(targets)  # 5.6.4
        verify.require_unexpired(targets, self.now)  # 5.6.5
        self.targets[role] = targets
        return targets

    # Helpers

    def _role_of(self, role: str, loaded: Mapping[str, Targets]) -> Role:
        root = self._need(self.root, roles.ROOT)
        if role in roles.BASE_ROLES:
            return root.of(role)
        if not roles.is_delegation(role):
            raise UndelegatedRole(role, "")
        above = loaded.get(roles.parent(role))
        if above is None:
            raise WrongOrder(f"{roles.parent(role)} must be loaded first")
        if role not in above.delegations:
            raise UndelegatedRole(role)
        return above.delegations[role].role

    def _require_no_rollback(self, signed: Signed) -> None:
        floor = self.floor.get(signed.role, 0)
        if signed.version < floor:
            raise RollbackAttack(signed.role, signed.version, floor)
        self.floor[signed.role] = signed.version

    @staticmethod
    def _need(value: T | None, role: str) -> T:
        if value is None:
            raise WrongOrder(f"{role} must be loaded first")
        return value


def _announced(listing: Snapshot | Timestamp, role: str) -> FileMeta:
    found = listing.meta(role)
    if found is None:
        raise MixAndMatchAttack(role, "sha256", "nothing: it is not listed")
    return found


_CLASSES: dict[str, type[Signed]] = {
    roles.ROOT: Root, roles.TIMESTAMP: Timestamp, roles.SNAPSHOT: Snapshot, roles.TARGETS: Targets,
}  # fmt: skip
