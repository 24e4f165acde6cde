"""Pages of the activity log, newest first, for whoever reads it through Resource Manager."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import or_
from sqlmodel import Session, col, select

from azext_trust.server.store.activity import ActivityEntry

_BATCH = 500


@dataclass(frozen=True)
class Asked:
    """Which entries.

    Attributes:
        scope_key: at or below this scope; ``/``: any.
        since: not before this moment (`clock.to_text` form).
        until: not after it.
        below: with a sequence below this one; None: from the newest.
        correlation_id: only of this correlation id, when it is not empty.
    """

    scope_key: str
    since: str
    until: str
    below: int | None = None
    correlation_id: str = ""


def newest_first(session: Session, asked: Asked) -> Iterator[ActivityEntry]:
    """Yield entries of resource providers, newest first, read in batches as far as they are taken."""
    below = asked.below
    while True:
        query = select(ActivityEntry).where(
            col(ActivityEntry.time) >= asked.since, col(ActivityEntry.time) <= asked.until,
            col(ActivityEntry.operation).startswith("Microsoft."),
        )  # fmt: skip
        if below is not None:
            query = query.where(col(ActivityEntry.sequence) < below)
        if asked.correlation_id:
            query = query.where(ActivityEntry.correlation_id == asked.correlation_id)
        if asked.scope_key != "/":
            under = col(ActivityEntry.scope).istartswith(asked.scope_key + "/", autoescape=True)
            query = query.where(or_(under, col(ActivityEntry.scope).ilike(asked.scope_key)))
        rows = list(session.exec(query.order_by(col(ActivityEntry.sequence).desc()).limit(_BATCH)))
        yield from rows
        if len(rows) < _BATCH:
            return
        below = rows[-1].sequence
