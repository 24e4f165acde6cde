"""What a Notary server accepts: an upload against the current collection, as one pure function (section 4.1).

The steps and their texts are the reference's, in its order; its faults are not copied (section 9):
- the collection is accepted only if all of it verifies afterwards, also the parts that were not uploaded;
- no role's version goes back or stays, and none leaps where nobody could follow;
- a server key signs for the repository and role it was made for, whatever a root names;
- what readers would understand differently is refused (`conformity`);
- a delegated role names no new target outside the paths that lead to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from azext_trust.tuf import conformity, roles, server, verify
from azext_trust.tuf.collection import Accepted, Collection, Refused, TagChanges
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import (
    FastForwardAttack,
    MalformedMetadata,
    MissingKeys,
    MixAndMatchAttack,
    PathViolation,
    TufError,
    UndelegatedRole,
    WrongOrder,
)
from azext_trust.tuf.metadata import FileMeta, Role, Root, Signed, Snapshot, Targets, Timestamp, stored_root
from azext_trust.tuf.server import ServerKey
from azext_trust.tuf.trusted import accept_root

__all__ = ["MAX_LEAP", "Accepted", "Collection", "Refused", "TagChanges", "validate_update"]

S = TypeVar("S", bound=Signed)

MAX_LEAP = 10_000
"""How far a version may jump: every client counts by one; more can only shut others out (fast-forward)."""


def validate_update(
    current: Collection, uploads: Iterable[tuple[str, bytes]], held: Mapping[str, ServerKey], now: datetime
) -> Accepted:
    """Validate an upload and sign what the server signs.

    Args:
        current: what is stored.
        uploads: file names, with or without ``.json``, and their bytes, in the order they came.
        held: the server's keys of this repository by id, also those handed out and not named by a root yet.
        now: the cloud's present.

    Raises:
        Refused: with the reference's code and text.
    """
    return _Update(current, _parts(uploads), held, now).run()


def _parts(uploads: Iterable[tuple[str, bytes]]) -> dict[str, Envelope]:
    """Step 1: names and JSON."""
    parts: dict[str, Envelope] = {}
    for name, raw in uploads:
        role = name.removesuffix(".json")
        if not role:
            raise Refused("NO_FILENAME")
        if not roles.is_valid(role) or role in parts:
            raise Refused("INVALID_ROLE", message=role)
        try:
            verify.require_size(raw, verify.MAX_METADATA, role)
            parts[role] = Envelope.parse(raw)
        except TufError as error:
            raise Refused("MALFORMED_JSON", message=str(error)) from None
    return parts


class _Update:
    """One upload on its way through the steps.

    Args:
        current: what is stored.
        parts: what was uploaded, by role.
        held: the server's keys.
        now: the cloud's present.
    """

    def __init__(
        self, current: Collection, parts: Mapping[str, Envelope], held: Mapping[str, ServerKey], now: datetime
    ) -> None:
        self.gun = current.gun
        self.stored = current.roles
        # An uploaded timestamp is ignored: the server always makes it.
        self.parts = {role: part for role, part in parts.items() if role != roles.TIMESTAMP}
        self.held = held
        self.now = now
        self.new: dict[str, Envelope] = {}
        self.numbers: dict[str, int] = {}
        self.targets: dict[str, Targets] = {}
        self.stored_targets: dict[str, Targets] = {}
        self.snapshot_before = self._before(Snapshot)
        self.timestamp_before = self._before(Timestamp)

    def run(self) -> Accepted:
        """Go through the steps."""
        self.before = stored_root(self.stored[roles.ROOT]) if roles.ROOT in self.stored else None
        self.root = self._root()
        for role in sorted(filter(roles.is_targets, self.parts), key=lambda name: (name.count("/"), name)):
            self._targets(role)
        self._unchanged_targets()
        if roles.SNAPSHOT in self.parts:
            self._uploaded_snapshot()
        else:
            self._made_snapshot()
        self._timestamp()
        self._check_versions()
        named = {*self.root.of(roles.SNAPSHOT).keys, *self.root.of(roles.TIMESTAMP).keys}
        return Accepted(self.new, self.numbers, self._tags(), frozenset(named & self.held.keys()))

    def _before(self, kind: type[S]) -> S | None:
        return kind.reread(self.stored[kind.ROLE]) if kind.ROLE in self.stored else None

    # Step 2: root

    def _root(self) -> Root:
        part = self.parts.get(roles.ROOT)
        if part is None:
            if self.before is None:
                raise _invalid("ErrValidation", "no pre-existing root and no root provided in update.")
            return self.before
        current = self.before.version if self.before else 1
        offered = part.fields.get("version")
        if offered not in (current, current + 1):
            raise _invalid(
                "ErrBadRoot", f"Root modifications must increment the version. Current {current}, new {offered}"
            )
        try:
            root = accept_root(part, self.gun, self.now, self.before)
            conformity.check_root(root)
            verify.require_unexpired(root, self.now)
        except TufError as error:
            raise _invalid("ErrBadRoot", str(error)) from None
        self._take(roles.ROOT, part, root.version)
        return root

    # Step 3: targets and delegations, parents first

    def _targets(self, role: str) -> None:
        try:
            signers, paths = self._signers(role)
            part = self.parts[role]
            verify.require_signatures(part, signers)
            targets = Targets(part, role, self._stored_targets(role))
            conformity.check_targets(targets)
            verify.require_unexpired(targets, self.now)
            self._check_leap(targets)
            self._check_paths(targets, paths)
        except TufError as error:
            raise _invalid("ErrBadTargets", str(error)) from None
        self.targets[role] = targets
        self._take(role, part, targets.version)

    def _signers(self, role: str) -> tuple[Role, tuple[str, ...]]:
        """Return who may sign for targets or a delegation, and the paths that lead to it from the top."""
        if role == roles.TARGETS:
            return self.root.of(role), ("",)
        above = roles.parent(role)
        _, paths = self._signers(above)
        parent = self._loaded(above)
        if parent is None:
            if above == roles.TARGETS:
                raise WrongOrder("targets must be loaded first")
            raise UndelegatedRole(role)
        if role not in parent.delegations:
            raise UndelegatedRole(role)
        found = parent.delegations[role].role
        return found, roles.restrict(paths, found.paths)

    def _loaded(self, role: str) -> Targets | None:
        return self.targets.get(role) or self._stored_targets(role)

    def _stored_targets(self, role: str) -> Targets | None:
        if role not in self.stored_targets and role in self.stored:
            self.stored_targets[role] = Targets.reread(self.stored[role], role)
        return self.stored_targets.get(role)

    def _check_leap(self, targets: Targets) -> None:
        before = self._stored_targets(targets.role)
        if before and targets.version > before.version + MAX_LEAP:
            raise FastForwardAttack(targets.role, targets.version, before.version)

    def _check_paths(self, targets: Targets, paths: tuple[str, ...]) -> None:
        """Only what is new is checked: paths may have been narrowed after the rest was signed."""
        if "" in paths:
            return
        before = self._stored_targets(targets.role)
        known = before.targets if before else {}
        for name, value in targets.targets.items():
            if known.get(name) != value and not roles.covers(paths, name):
                raise PathViolation(targets.role, name)

    def _unchanged_targets(self) -> None:
        """The stored targets must verify under a new root (section 9, first fault).

        Delegations need not: docker itself leaves one without keys when the last signer goes, and readers skip it.
        """
        if roles.TARGETS in self.parts:
            return
        if roles.TARGETS not in self.stored:
            raise _invalid("ErrValidation", "targets must be loaded first")
        if roles.ROOT not in self.parts:
            return
        try:
            verify.require_signatures(Envelope.reread(self.stored[roles.TARGETS]), self.root.of(roles.TARGETS))
        except TufError as error:
            raise _invalid("ErrBadTargets", str(error)) from None

    # Step 4: snapshot

    def _uploaded_snapshot(self) -> None:
        part = self.parts[roles.SNAPSHOT]
        try:
            verify.require_signatures(part, self.root.of(roles.SNAPSHOT))
            snapshot = Snapshot(part)
            verify.require_unexpired(snapshot, self.now)
            self._check_spelling()
            self._check_listed(snapshot)
            before = self.snapshot_before
            if before and snapshot.version > before.version + MAX_LEAP:
                raise FastForwardAttack(roles.SNAPSHOT, snapshot.version, before.version)
        except TufError as error:
            raise _invalid("ErrBadSnapshot", str(error)) from None
        self._take(roles.SNAPSHOT, part, snapshot.version)

    def _check_spelling(self) -> None:
        """A client that signs the snapshot hashes its own spelling of root and targets the next time."""
        for role, part in self.new.items():
            conformity.check_spelling(part, role)

    def _check_listed(self, snapshot: Snapshot) -> None:
        for role in sorted(snapshot.listed | self.new.keys()):
            raw = self.new[role].raw if role in self.new else self.stored.get(role)
            announced = snapshot.meta(role)
            if role in (roles.SNAPSHOT, roles.TIMESTAMP):
                continue
            if announced is None:
                raise MixAndMatchAttack(role, "sha256", "nothing: it is not listed")
            if raw is None:
                raise MalformedMetadata(f"the snapshot lists {role}, which was never uploaded")
            verify.require_hashes(raw, announced, role)
            if announced.length != len(raw):
                raise MalformedMetadata(f"the snapshot announces {announced.length} bytes of {role}, not {len(raw)}")

    def _made_snapshot(self) -> None:
        if not server.holds(self.root.of(roles.SNAPSHOT), self.held):
            raise Refused(
                "INVALID_UPDATE", "ErrBadHierarchy",
                "no snapshot was included in update and server does not hold current snapshot key for repository",
                roles.SNAPSHOT,
            )  # fmt: skip
        meta = {role: FileMeta.of(envelope) for role, envelope in self.new.items()}
        made = server.sign_snapshot(self.root, meta, self.held, self.now, self.snapshot_before)
        self._take(roles.SNAPSHOT, made, made.fields["version"])

    # Step 5: timestamp

    def _timestamp(self) -> None:
        snapshot = self.new[roles.SNAPSHOT]
        try:
            made = server.sign_timestamp(self.root, snapshot, self.held, self.now, self.timestamp_before)
        except MissingKeys:
            raise _invalid("ErrBadRoot", "no  timestamp keys exist on the server") from None
        self._take(roles.TIMESTAMP, made, made.fields["version"])

    # Step 6: versions, role by role

    def _take(self, role: str, envelope: Envelope, version: int) -> None:
        self.new[role] = envelope
        self.numbers[role] = version

    def _check_versions(self) -> None:
        before: dict[str, Signed | None] = {
            roles.ROOT: self.before, roles.SNAPSHOT: self.snapshot_before, roles.TIMESTAMP: self.timestamp_before,
        }  # fmt: skip
        for role, version in self.numbers.items():
            stored = before[role] if role in before else self._stored_targets(role)
            if stored is not None and version <= stored.version:
                raise Refused("VERSION")

    def _tags(self) -> dict[str, TagChanges]:
        found = {role: _difference(self._stored_targets(role), targets) for role, targets in self.targets.items()}
        for role, targets in self.targets.items():
            before = self._stored_targets(role)
            declared = before.delegations.keys() if before else frozenset()
            for changed in declared ^ targets.delegations.keys():
                found |= self._delegated_tags(changed, gone=changed in declared)
        return found

    def _delegated_tags(self, delegation: str, gone: bool) -> dict[str, TagChanges]:
        """Tags that a delegation takes along when it is withdrawn, or brings back when it is declared again."""
        found = {}
        for role in self.stored:
            if role not in self.targets and (role == delegation or role.startswith(delegation + "/")):
                stored = self._stored_targets(role)
                found[role] = _difference(stored, None) if gone else _difference(None, stored)
        return found


def _difference(before: Targets | None, after: Targets | None) -> TagChanges:
    old, new = before.targets if before else {}, after.targets if after else {}
    signed = {name: FileMeta.from_dict(value) for name, value in new.items() if old.get(name) != value}
    return TagChanges(signed, frozenset(old.keys() - new.keys()))


def _invalid(name: str, message: str) -> Refused:
    return Refused("INVALID_UPDATE", name, message)
