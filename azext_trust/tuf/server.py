"""What the Notary server signs itself: snapshot where it holds the key, timestamp always (section 4.1, steps 4, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from azext_trust.tuf import edit, roles, times
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import MissingKeys
from azext_trust.tuf.keys import PrivateKey
from azext_trust.tuf.metadata import FileMeta, Role, Root, Snapshot, Timestamp


@dataclass(frozen=True)
class ServerKey:
    """A key that the server made for one repository and one role.

    INVARIANT: it signs for that role only, whatever a root may say.
    """

    role: str
    private: PrivateKey


def usable(role: Role, held: Mapping[str, ServerKey]) -> dict[str, PrivateKey]:
    """Return the server's keys that a root names for a role and that were made for it, by key id."""
    return {
        key_id: held[key_id].private
        for key_id in role.keys
        if key_id in held and held[key_id].role == role.name
    }  # fmt: skip


def holds(role: Role, held: Mapping[str, ServerKey]) -> bool:
    """Tell whether the server's keys reach the threshold of a role."""
    return len(usable(role, held)) >= role.threshold


def sign_snapshot(
    root: Root, meta: Mapping[str, FileMeta], held: Mapping[str, ServerKey], now: datetime, previous: Snapshot | None
) -> Envelope:
    """Return the next snapshot.

    Args:
        root: names the snapshot's keys.
        meta: what to announce of roles that changed, root included.
        held: the server's keys of this repository, by id.
        now: from when the lifetime counts.
        previous: the snapshot before.

    Raises:
        MissingKeys: the server does not hold enough of the root's snapshot keys.
    """
    return _sign(root, roles.SNAPSHOT, edit.new_snapshot(meta, previous), held, now)


def sign_timestamp(
    root: Root, snapshot: Envelope, held: Mapping[str, ServerKey], now: datetime, previous: Timestamp | None
) -> Envelope:
    """Return the next timestamp; arguments as in `sign_snapshot`.

    Raises:
        MissingKeys: the server does not hold enough of the root's timestamp keys.
    """
    return _sign(root, roles.TIMESTAMP, edit.new_timestamp(snapshot, previous), held, now)


def _sign(root: Root, name: str, fields: edit.Fields, held: Mapping[str, ServerKey], now: datetime) -> Envelope:
    role = root.of(name)
    private = usable(role, held)
    if len(private) < role.threshold:
        raise MissingKeys(list(role.keys))
    return edit.sign(role, fields, private, now)


def renewed(current: Mapping[str, bytes], held: Mapping[str, ServerKey], now: datetime) -> dict[str, Envelope]:
    """Return what must be signed again: an expired timestamp, and a snapshot that would not outlive the new one.

    So whoever has a timestamp in force has a snapshot in force too, where the server keeps its key.

    Args:
        current: role to newest bytes: root, snapshot, timestamp.
        held: the server's keys of this repository, by id.
        now: the moment.

    Returns:
        role to new metadata; empty when nothing has expired or the keys are the client's.
    """
    root = Root.parse(current[roles.ROOT])
    snapshot, timestamp = Snapshot.parse(current[roles.SNAPSHOT]), Timestamp.parse(current[roles.TIMESTAMP])
    made: dict[str, Envelope] = {}
    if timestamp.expires >= now:
        return made
    if snapshot.expires < now + times.LIFETIMES[roles.TIMESTAMP] and holds(root.of(roles.SNAPSHOT), held):
        made[roles.SNAPSHOT] = sign_snapshot(root, {}, held, now, snapshot)
    if holds(root.of(roles.TIMESTAMP), held):
        newest = made.get(roles.SNAPSHOT, snapshot.envelope)
        made[roles.TIMESTAMP] = sign_timestamp(root, newest, held, now, timestamp)
        return made
    return {}
