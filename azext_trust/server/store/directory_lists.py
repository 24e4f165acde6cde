"""Pages of directory objects, in the order of their names: no list is read as a whole (directories grow large)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from azext_trust.server.store.principals import Application, DirectoryObject, DirectoryRoleMember, Membership, Ownership

Row = DirectoryObject | Application
Model = type[DirectoryObject] | type[Application]
Clause = ColumnElement[bool]
Place = tuple[str, str]
"""Where a page ended: name in lower case, and id."""
CHUNK = 500


@dataclass(frozen=True)
class Asked:
    """Which objects, in which order.

    Attributes:
        model: the table.
        where: conditions.
        order: expressions to sort by instead of the name; pages then count rows.
    """

    model: Model
    where: Sequence[Clause] = ()
    order: Sequence[Any] = ()


def rows_after(session: Session, asked: Asked, place: Place | None, chunk: int = CHUNK) -> Iterator[Row]:
    """Yield objects by name after a place, read in chunks as far as they are taken."""
    model: Any = asked.model
    while True:
        query = select(model).where(*asked.where)
        if place is not None:
            key, own = col(model.display_key), col(model.id)
            query = query.where(or_(key > place[0], and_(key == place[0], own > place[1])))
        rows = session.exec(query.order_by(col(model.display_key), col(model.id)).limit(chunk)).all()
        yield from rows
        if len(rows) < chunk:
            return
        place = (rows[-1].display_key, rows[-1].id)


def rows_from(session: Session, asked: Asked, at: int, chunk: int = CHUNK) -> Iterator[Row]:
    """Yield objects in another order than by name, from a position on."""
    model: Any = asked.model
    while True:
        query = select(model).where(*asked.where).order_by(*asked.order, col(model.id)).offset(at).limit(chunk)
        rows = session.exec(query).all()
        yield from rows
        if len(rows) < chunk:
            return
        at += chunk


def count(session: Session, asked: Asked) -> int:
    """Count objects."""
    return session.exec(select(func.count()).select_from(asked.model).where(*asked.where)).one()


def of_kind(kind: str) -> Clause:
    """Users, groups or service principals."""
    return col(DirectoryObject.kind) == kind


def _among(ids: Any) -> Clause:
    return col(DirectoryObject.id).in_(ids)


def members(group_id: str) -> Clause:
    """The direct members of a group."""
    return _among(select(Membership.member_id).where(Membership.group_id == group_id))


def groups_of(member_id: str) -> Clause:
    """The groups somebody is directly in."""
    return _among(select(Membership.group_id).where(Membership.member_id == member_id))


def all_members(group_id: str) -> Clause:
    """The members of a group, those of nested groups included; circles are walked once."""
    walk = (
        select(col(Membership.member_id).label("id"))
        .where(Membership.group_id == group_id)
        .cte("below", recursive=True)
    )
    walk = walk.union(select(col(Membership.member_id)).where(col(Membership.group_id) == walk.c.id))
    return and_(_among(select(walk.c.id)), col(DirectoryObject.id) != group_id)


def all_groups_of(member_id: str) -> Clause:
    """The groups somebody is in, through other groups too."""
    walk = (
        select(col(Membership.group_id).label("id"))
        .where(Membership.member_id == member_id)
        .cte("above", recursive=True)
    )
    walk = walk.union(select(col(Membership.group_id)).where(col(Membership.member_id) == walk.c.id))
    return _among(select(walk.c.id))


def owners(object_id: str) -> Clause:
    """The owners of an object."""
    return _among(select(Ownership.owner_id).where(Ownership.object_id == object_id))


def owned(owner_id: str) -> Clause:
    """What somebody owns, applications aside."""
    return _among(select(Ownership.object_id).where(Ownership.owner_id == owner_id))


def role_holders(role: str) -> Clause:
    """The holders of a directory role."""
    return _among(select(DirectoryRoleMember.principal_id).where(DirectoryRoleMember.role == role))
