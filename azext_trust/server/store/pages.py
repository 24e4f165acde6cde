"""Pages of a repository's rows, by name or by last update; a page begins after where the one before ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlmodel.sql.expression import SelectOfScalar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class End:
    """Where a page ended: the last row's name and moment; the row itself may be gone meanwhile.

    Attributes:
        name: the tag's name, the manifest's digest.
        updated: its last update in `clock.to_text` form, empty where it is not known.
    """

    name: str
    updated: str = ""


def page(
    query: SelectOfScalar[T], name: Any, updated: Any, *, newest_first: bool | None, after: End | None, limit: int
) -> SelectOfScalar[T]:
    """Return the query of one page.

    Args:
        query: selects the rows of all pages.
        name: the column of unique names; it decides between equal moments.
        updated: the column of last updates.
        newest_first: order by last update, newest or oldest first; None orders by name.
        after: where the page before ended, or None.
        limit: how many rows at most.
    """
    if newest_first is None:
        query = query.where(name > after.name) if after else query
        return query.order_by(name).limit(limit)
    if after is not None:
        beyond = updated < after.updated if newest_first else updated > after.updated
        query = query.where(beyond | ((updated == after.updated) & (name > after.name)))
    return query.order_by(updated.desc() if newest_first else updated.asc(), name).limit(limit)
