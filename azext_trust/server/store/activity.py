"""The activity log: who did what, when, allowed or denied; chained so that tampering shows (M25)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Table
from sqlmodel import Field, Session, SQLModel, col, select

from azext_trust.server.store import clock, facts
from azext_trust.server.store.statements import Statement
from azext_trust.server.store.vault import Vault

GENESIS = "0" * 64


class ActivityEntry(SQLModel, table=True):
    """One line of the log. INVARIANT: never updated and never deleted; holds no secret and no trust metadata."""

    __tablename__ = "activity"

    sequence: int = Field(primary_key=True)
    time: str = Field(index=True)
    operation: str = Field(index=True)
    scope: str
    outcome: str
    caller_id: str = Field(index=True)
    correlation_id: str = Field(index=True)
    details: str
    previous: str
    digest: str


@dataclass
class Activity:
    """What is to be recorded.

    Attributes:
        operation: the action or operation name, for instance ``Microsoft.ContainerRegistry/registries/write``.
        scope: the resource concerned.
        outcome: ``Allowed``, ``Denied`` or ``Failed``.
        caller_id: the caller's object id, or a word such as ``operator`` or ``anonymous``.
        correlation_id: the id the caller was told.
        details: caller name, method, status, before and after, missing permission. No secrets.
    """

    operation: str
    scope: str
    outcome: str
    caller_id: str
    correlation_id: str
    details: dict[str, object] = field(default_factory=dict)


TABLE: Table = SQLModel.metadata.tables["activity"]
SIGNED = [column for column in TABLE.columns if column.name != "digest"]
"""The columns that an entry's digest is over: all others."""
# In ASCII: what a caller sent may hold characters that no database takes (half a surrogate pair).
_encode = json.JSONEncoder(separators=(",", ":")).encode


def digest_of(values: Iterable[object]) -> str:
    """Return the SHA-256 (hex) of an entry: its values but the digest, in the table's order, as a JSON list."""
    return hashlib.sha256(_encode(list(values)).encode()).hexdigest()


@dataclass(frozen=True)
class Head:
    """The end of the log as the state knows it, beside the log itself.

    Attributes:
        sequence: the last entry's number, 0 for an empty log.
        digest: its digest (hex).
        seal: keyed digest over the seal before, the number and the digest: whoever lacks the vault key can neither
            rewrite the log nor mend a head that was changed, also not by letting the cloud write on.
    """

    sequence: int = 0
    digest: str = GENESIS
    seal: str = ""

    @classmethod
    def of(cls, session: Session) -> Head:
        """Return the head that the state holds; one that cannot be read fits no log."""
        text = facts.get(session, facts.ACTIVITY_HEAD)
        if not text:
            return cls()
        try:
            sequence, digest, seal = text.split(":")
            return cls(int(sequence), digest, seal)
        except ValueError:
            return cls(0, GENESIS, "damaged")

    def then(self, vault: Vault, sequence: int, digest: str) -> Head:
        """Return the head after one more entry."""
        return Head(sequence, digest, vault.seal(f"{self.seal}:{sequence}:{digest}"))

    def __str__(self) -> str:
        """Return it as the state keeps it."""
        return f"{self.sequence}:{self.digest}:{self.seal}"


_LAST = Statement("SELECT coalesce(max(sequence), 0) FROM activity")
_COLUMNS = [column.name for column in TABLE.columns]
_APPEND = Statement(
    f"INSERT INTO activity ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
)


def chain(session: Session, vault: Vault, events: Iterable[Activity], now: datetime) -> dict[str, str]:
    """Append events, each linked to the one before.

    Links to the head the state knows, not to the last entry found: a log whose end was cut off stays broken.

    Returns:
        The fact that holds the new head, to be put with the commit.
    """
    events = list(events)
    if not events:
        return {}
    head = Head.of(session)
    # Numbers go on after what is there, forged entries included: they show, and hinder nobody.
    found = _LAST.first(session.connection(), {})
    last = max(head.sequence, found[0] if found else 0)
    rows: list[dict[str, object]] = []
    for number, event in enumerate(events, last + 1):
        values = (
            number, clock.to_text(now), event.operation, event.scope, event.outcome, event.caller_id,
            event.correlation_id, _encode(event.details), head.digest,
        )  # fmt: skip
        head = head.then(vault, number, digest_of(values))
        signed = {column.name: value for column, value in zip(SIGNED, values, strict=True)}
        rows.append({**signed, "digest": head.digest})
    _APPEND.each(session.connection(), rows)
    return {facts.ACTIVITY_HEAD: str(head)}


def entries(session: Session, after: int = 0, limit: int | None = None) -> Iterator[ActivityEntry]:
    """Yield entries in order, those with a sequence above `after`."""
    query = select(ActivityEntry).where(col(ActivityEntry.sequence) > after).order_by(col(ActivityEntry.sequence))
    yield from session.exec(query.limit(limit) if limit else query)


def recent(session: Session, limit: int) -> list[ActivityEntry]:
    """Return the newest entries, oldest of them first."""
    found = session.exec(select(ActivityEntry).order_by(col(ActivityEntry.sequence).desc()).limit(limit))
    return list(reversed(found.all()))


def details_of(entry: ActivityEntry) -> Mapping[str, object]:
    """Return an entry's details as an object; what cannot be read any more stands in it as it is."""
    try:
        loaded = json.loads(entry.details)
    except (ValueError, TypeError, RecursionError):
        loaded = None
    return loaded if isinstance(loaded, dict) else {"unreadable": str(entry.details)}
