"""Lists of directory objects out of the database, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import col

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import errors, expand, filter_sql, query
from azext_trust.server.graph.query import Body, Options
from azext_trust.server.store import directory_lists
from azext_trust.server.store.directory_lists import Asked, Clause, Model, Row
from azext_trust.server.store.transaction import Transaction

Bodies = Callable[[Transaction, Sequence[Row]], list[Body]]


@dataclass(frozen=True)
class Collection:
    """A kind of object as Graph lists it.

    Attributes:
        name: ``users``, ``groups`` ...; ``directoryObjects`` for mixed ones.
        model: its table.
        where: conditions of all its objects.
        bodies: full bodies of rows, in their order, made together.
        shown: what a body shows when no $select asks for more; None: all of it.
    """

    name: str
    model: Model
    where: tuple[Clause, ...]
    bodies: Bodies
    shown: Callable[[Body], Body] | None = None


def reply(transaction: Transaction, call: Call, collection: Collection, *clauses: Clause) -> Reply:
    """Return a page of a collection, or of its objects that meet more conditions."""
    asked = query.options(call)
    where, exact = _conditions(collection, asked, clauses)
    wanted = Asked(collection.model, where, _order(collection, asked))
    place = query.token(call)
    found: list[tuple[Row, Body]] = []
    following: list[str] | None = None
    position = int(place[0]) if wanted.order and place and place[0].isdigit() else 0
    rows = _rows(transaction, wanted, place, position, asked.size)
    for number, (row, body) in _fitting(transaction, collection, asked, rows, exact):
        if len(found) == asked.size:
            last = found[-1][0]
            following = [str(position + number)] if wanted.order else [last.display_key, last.id]
            break
        found.append((row, body))
    count = _count(transaction, collection, asked, wanted, exact) if asked.counted else None
    return query.page(call, collection.name, _shown(transaction, call, collection, found), following, count)


def number(transaction: Transaction, call: Call, collection: Collection, *clauses: Clause) -> Reply:
    """Return how many objects there are, as text (``/$count``).

    Raises:
        ServiceError: without ``ConsistencyLevel: eventual`` Entra does not count.
    """
    if call.headers.get("consistencylevel", "").lower() != "eventual":
        raise errors.bad_request("$count is not currently supported.")
    asked = query.options(call)
    where, exact = _conditions(collection, asked, clauses)
    found = _count(transaction, collection, asked, Asked(collection.model, where), exact)
    return Reply(str(found), 200, errors.headers(call), "text/plain")


def _conditions(collection: Collection, asked: Options, clauses: Iterable[Clause]) -> tuple[list[Clause], bool]:
    """Return the conditions for the database, and whether nothing is left to be tested."""
    where = [*collection.where, *clauses]
    exact = asked.search is None
    if asked.filter is not None:
        made = filter_sql.translate(asked.filter, collection.name)
        where.append(made.clause)
        exact = exact and made.exact
    if asked.search is not None and len(asked.search.groups) == 1:
        where += [
            col(collection.model.display_key).contains(word, autoescape=True)
            for name, words in asked.search.groups[0] if name.lower() == "displayname"
            for word in words.lower().split() if word.isascii()
        ]  # fmt: skip
    return where, exact


def _order(collection: Collection, asked: Options) -> list[Any]:
    """Return what to sort by; the names alone are the order that pages follow anyway."""
    if [(name.lower(), down) for name, down in asked.order] in ([], [("displayname", False)]):
        return []
    fields = filter_sql.FIELDS[collection.name]
    unknown = next((name for name, _ in asked.order if name.lower() not in fields), None)
    if unknown:
        raise errors.unsupported("Sorting not supported for current query.")
    columns = [(func.coalesce(fields[name.lower()].column, ""), down) for name, down in asked.order]
    return [column.desc() if down else column.asc() for column, down in columns]


def _rows(transaction: Transaction, wanted: Asked, place: list[str], position: int, size: int) -> Iterator[Row]:
    chunk = max(size + 1, 100)
    if wanted.order:
        return directory_lists.rows_from(transaction.session, wanted, position, chunk)
    after = (place[0], place[1]) if len(place) == 2 else None
    return directory_lists.rows_after(transaction.session, wanted, after, chunk)


def _fitting(
    transaction: Transaction, collection: Collection, asked: Options, rows: Iterator[Row], exact: bool
) -> Iterator[tuple[int, tuple[Row, Body]]]:
    """Yield the rows that fit, with their bodies and position; bodies are made for many rows at once."""
    batch: list[Row] = []
    done = 0
    size = min(asked.size + 1, directory_lists.CHUNK)

    def fitting() -> Iterator[tuple[int, tuple[Row, Body]]]:
        for at, pair in enumerate(zip(batch, collection.bodies(transaction, batch), strict=True)):
            if exact or asked.fits(pair[1]):
                yield done + at, pair

    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield from fitting()
            done += len(batch)
            batch = []
    yield from fitting()


def _count(transaction: Transaction, collection: Collection, asked: Options, wanted: Asked, exact: bool) -> int:
    if exact:
        return directory_lists.count(transaction.session, wanted)
    rows = directory_lists.rows_after(transaction.session, Asked(wanted.model, wanted.where), None)
    return sum(1 for _ in _fitting(transaction, collection, asked, rows, exact=False))


def _shown(transaction: Transaction, call: Call, collection: Collection, found: list[tuple[Row, Body]]) -> list[Body]:
    bodies = [body for _, body in found]
    if collection.shown is not None and "$select" not in call.query:
        bodies = [collection.shown(body) for body in bodies]
    return [expand.add(transaction, call, row.id, body) for (row, _), body in zip(found, bodies, strict=True)]
