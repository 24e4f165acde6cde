"""Checks the activity log from its first entry to its sealed head (M25)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select

from azext_trust.server.store import activity
from azext_trust.server.store.activity import Head
from azext_trust.server.store.transaction import Store, Transaction

_PAGE = 2000
"""Entries read in one transaction: a reader that stays long holds back the erasure of trust data."""


@dataclass(frozen=True)
class Verification:
    """What a check of the whole chain found.

    Attributes:
        entries: how many entries were found good.
        head: the digest of the last good one (hex), to be noted for a later check.
        problem: what is wrong, or empty.
    """

    entries: int
    head: str
    problem: str


class _Broken(Exception):
    """The chain does not hold; the message says where."""


def verify(store: Store, noted_head: str = "") -> Verification:
    """Check every link, the sealed head, and that a head noted earlier is still part of the chain.

    Args:
        store: the state; its vault holds the key of the seal: a log rewritten whole does not fit it.
        noted_head: a digest noted earlier; a chain alone does not show that its end was cut off together with the
            head that the state keeps.
    """
    walk = _Walk(noted_head)
    try:
        more = True
        while more:
            with store.read() as transaction:
                more = walk.page(transaction)
    except _Broken as broken:
        return Verification(walk.head.sequence, walk.head.digest, str(broken))
    problem = "" if walk.seen_noted else "The head noted earlier is not part of this log: its end was cut off."
    return Verification(walk.head.sequence, walk.head.digest, problem)


def _page(after: int | None) -> Select[Any]:
    table = activity.TABLE
    query = select(*activity.SIGNED, table.c.digest).order_by(table.c.sequence).limit(_PAGE)
    # The first page has no lower bound: an entry may have been forged below the first number.
    return query if after is None else query.where(table.c.sequence > after)


class _Walk:
    """The way along the chain, page by page; what lies behind is never changed by those who write meanwhile."""

    def __init__(self, noted_head: str) -> None:
        self.head = Head()
        self.seen_noted = noted_head in ("", activity.GENESIS)
        self._noted = noted_head
        self._begun = False

    def page(self, transaction: Transaction) -> bool:
        """Check one page, and the sealed head when it is the last; tell whether there is more."""
        rows = transaction.session.connection().execute(_page(self.head.sequence if self._begun else None)).all()
        self._begun = True
        for row in rows:
            self._entry(transaction, row)
        if len(rows) == _PAGE:
            return True
        self._end(transaction)
        return False

    def _entry(self, transaction: Transaction, row: Row[Any]) -> None:
        values: list[object] = list(row[:-1])
        digest = row[-1]
        number = self.head.sequence + 1
        sequence, previous = values[0], values[-1]
        if sequence != number:
            raise _Broken(f"Entry {number} is missing: the next one is number {sequence}.")
        if previous != self.head.digest or digest != _digest(values):
            raise _Broken(f"Entry {number} was changed after it was written, or does not follow the one before it.")
        self.head = self.head.then(transaction.vault, number, str(digest))
        self.seen_noted = self.seen_noted or digest == self._noted

    def _end(self, transaction: Transaction) -> None:
        known = Head.of(transaction.session)
        if known == self.head:
            return
        if known.sequence > self.head.sequence:
            raise _Broken(f"Entries {self.head.sequence + 1} to {known.sequence} are missing: the end was cut off.")
        raise _Broken(
            "The end of the log does not fit its seal: entries were added or rewritten, or the key file was exchanged."
        )


def _digest(values: list[object]) -> str:
    try:
        return activity.digest_of(values)
    except TypeError:  # a value of a kind that is never written, bytes for instance
        return ""
