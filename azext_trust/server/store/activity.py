"""The activity log: who did what, when, allowed or denied; chained so that tampering shows (M25)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from azext_trust.server.store import clock, facts
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


def _digest(entry: ActivityEntry) -> str:
    text = json.dumps(
        [entry.sequence, entry.time, entry.operation, entry.scope, entry.outcome, entry.caller_id,
         entry.correlation_id, entry.details, entry.previous],
        separators=(",", ":"), ensure_ascii=False,
    )  # fmt: skip
    return hashlib.sha256(text.encode()).hexdigest()


def chain(session: Session, vault: Vault, events: Iterable[Activity], now: datetime) -> None:
    """Append events, each linked to the one before, and seal the new head with the vault's key."""
    events = list(events)
    if not events:
        return
    sequence, head = _last(session)
    for event in events:
        sequence += 1
        entry = ActivityEntry(
            sequence=sequence, time=clock.to_text(now), operation=event.operation, scope=event.scope,
            outcome=event.outcome, caller_id=event.caller_id, correlation_id=event.correlation_id,
            details=json.dumps(event.details, separators=(",", ":"), ensure_ascii=False), previous=head, digest="",
        )  # fmt: skip
        entry.digest = head = _digest(entry)
        session.add(entry)
    facts.put(session, facts.ACTIVITY_HEAD, vault.seal_head(f"{sequence}:{head}"))


def _last(session: Session) -> tuple[int, str]:
    found = session.exec(select(ActivityEntry).order_by(col(ActivityEntry.sequence).desc()).limit(1)).first()
    return (found.sequence, found.digest) if found else (0, GENESIS)


def entries(session: Session, after: int = 0, limit: int | None = None) -> Iterator[ActivityEntry]:
    """Yield entries in order, those with a sequence above `after`."""
    query = select(ActivityEntry).where(col(ActivityEntry.sequence) > after).order_by(col(ActivityEntry.sequence))
    yield from session.exec(query.limit(limit) if limit else query)


def recent(session: Session, limit: int) -> list[ActivityEntry]:
    """Return the newest entries, oldest of them first."""
    found = session.exec(select(ActivityEntry).order_by(col(ActivityEntry.sequence).desc()).limit(limit))
    return list(reversed(found.all()))


@dataclass(frozen=True)
class Verification:
    """What a check of the whole chain found.

    Attributes:
        entries: how many entries were read.
        head: the digest of the last one (hex), to be noted for a later check.
        problem: what is wrong, or empty.
    """

    entries: int
    head: str
    problem: str


def verify(session: Session, vault: Vault, noted_head: str | None = None) -> Verification:
    """Check every link, the sealed head, and that a head noted earlier is still part of the chain.

    Args:
        session: a reading session.
        vault: holds the key of the sealed head: a log rewritten whole does not fit it.
        noted_head: a digest noted earlier; a chain alone does not show that its end was cut off.
    """
    head, count, seen = GENESIS, 0, noted_head in (None, "", GENESIS)
    for entry in entries(session):
        count += 1
        if entry.sequence != count:
            return Verification(count, head, f"Entry {count} is missing: the next one is number {entry.sequence}.")
        if entry.previous != head or entry.digest != _digest(entry):
            return Verification(count, head, f"Entry {count} was changed after it was written.")
        head = entry.digest
        seen = seen or head == noted_head
    if count and facts.get(session, facts.ACTIVITY_HEAD) != vault.seal_head(f"{count}:{head}"):
        return Verification(count, head, "The end of the log does not fit its seal: entries were cut off or rewritten.")
    if not count and facts.get(session, facts.ACTIVITY_HEAD):
        return Verification(0, head, "The log is empty although entries were sealed.")
    return Verification(count, head, "" if seen else "The head noted earlier is not part of this log.")


def details_of(entry: ActivityEntry) -> Mapping[str, object]:
    """Return an entry's details as an object."""
    loaded: dict[str, object] = json.loads(entry.details)
    return loaded
