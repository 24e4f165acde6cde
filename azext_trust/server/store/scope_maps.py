"""Scope maps and repository-scoped tokens of registries (M10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import JSON, Column, UniqueConstraint, delete, func
from sqlmodel import Field, Session, SQLModel, col, select

USER_DEFINED, SYSTEM_DEFINED = "UserDefined", "SystemDefined"
ENABLED, DISABLED = "enabled", "disabled"


class ScopeMap(SQLModel, table=True):
    """A named set of actions; `actions` are as on the wire, ``repositories/team/web/content/read``."""

    __tablename__ = "scope_map"
    __table_args__ = (UniqueConstraint("registry_id", "name_key"),)

    id: str = Field(primary_key=True)
    registry_id: str = Field(index=True)
    name: str
    name_key: str
    kind: str = USER_DEFINED
    description: str | None = None
    created: str
    created_by: str
    modified: str
    modified_by: str
    actions: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class RegistryToken(SQLModel, table=True):
    """A token with at most two passwords, which are hashed; `scope_map_key` is its scope map's name in lower case.

    `passwords` holds objects with ``name`` (password1, password2), ``hashed``, ``created`` and ``expiry`` (empty: never).
    """

    __tablename__ = "registry_token"
    __table_args__ = (UniqueConstraint("registry_id", "name_key"),)

    id: str = Field(primary_key=True)
    registry_id: str = Field(index=True)
    name: str
    name_key: str
    scope_map_key: str = Field(index=True)
    status: str = ENABLED
    created: str
    created_by: str
    modified: str
    modified_by: str
    passwords: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    certificates: list[dict[str, object]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


@dataclass(frozen=True, slots=True)
class Password:
    """A password of a token: its Argon2id hash, and when it expires (`clock.to_text` form; empty: never)."""

    name: str
    hashed: str
    expiry: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the login server needs it: status, the actions of its scope map, password hashes."""

    name: str
    status: str
    actions: Sequence[str]
    passwords: Sequence[Password]


def registry_token(session: Session, registry_id: str, name: str) -> Token | None:
    """Return a registry's token for its login server, None when there is none of this name.

    Args:
        session: a session.
        registry_id: the registry row's id.
        name: the user name shown; case is ignored, as in a resource's name.
    """
    row = token(session, registry_id, name)
    if row is None:
        return None
    held = scope_map(session, registry_id, row.scope_map_key)
    passwords = tuple(Password(one["name"], one["hashed"], one["expiry"]) for one in row.passwords)
    return Token(row.name, row.status, tuple(held.actions) if held else (), passwords)


def token(session: Session, registry_id: str, name: str) -> RegistryToken | None:
    """Return a registry's token by name; case is ignored."""
    query = select(RegistryToken).where(
        RegistryToken.registry_id == registry_id, RegistryToken.name_key == name.lower()
    )
    return session.exec(query).first()


def tokens(session: Session, registry_id: str) -> list[RegistryToken]:
    """Return a registry's tokens by name."""
    query = select(RegistryToken).where(RegistryToken.registry_id == registry_id)
    return list(session.exec(query.order_by(col(RegistryToken.name_key))))


def scope_map(session: Session, registry_id: str, name: str) -> ScopeMap | None:
    """Return a registry's scope map by name, one that every registry has included; case is ignored."""
    if name.lower() in SYSTEM_MAPS:
        return _system_map(registry_id, name.lower())
    query = select(ScopeMap).where(ScopeMap.registry_id == registry_id, ScopeMap.name_key == name.lower())
    return session.exec(query).first()


def scope_maps(session: Session, registry_id: str, *, own: bool = False) -> list[ScopeMap]:
    """Return a registry's scope maps by name; `own` leaves out those that every registry has."""
    query = select(ScopeMap).where(ScopeMap.registry_id == registry_id).order_by(col(ScopeMap.name_key))
    system = [] if own else [_system_map(registry_id, name) for name in SYSTEM_MAPS]
    return [*system, *session.exec(query)]


def tokens_with(session: Session, registry_id: str, name: str) -> list[RegistryToken]:
    """Return the tokens that have a scope map."""
    return [row for row in tokens(session, registry_id) if row.scope_map_key == name.lower()]


def counts(session: Session, registry_id: str) -> tuple[int, int]:
    """Return how many scope maps and tokens a registry has; what every registry has does not count."""
    maps = select(func.count()).select_from(ScopeMap).where(col(ScopeMap.registry_id) == registry_id)
    held = select(func.count()).select_from(RegistryToken).where(col(RegistryToken.registry_id) == registry_id)
    return session.exec(maps).one(), session.exec(held).one()


SYSTEM_MAPS = {
    "_repositories_admin": ("Can perform all read, write and delete operations on the registry", (
        "repositories/*/metadata/read", "repositories/*/metadata/write", "repositories/*/content/read",
        "repositories/*/content/write", "repositories/*/content/delete")),
    "_repositories_pull": ("Can pull any repository of the registry", ("repositories/*/content/read",)),
    "_repositories_pull_metadata_read": ("Can perform all read operations on the registry", (
        "repositories/*/content/read", "repositories/*/metadata/read")),
    "_repositories_push": ("Can push to any repository of the registry", (
        "repositories/*/content/read", "repositories/*/content/write")),
    "_repositories_push_metadata_write": ("Can perform all read and write operations on the registry", (
        "repositories/*/metadata/read", "repositories/*/metadata/write", "repositories/*/content/read",
        "repositories/*/content/write")),
}  # fmt: skip
"""The scope maps every registry has, with the service's descriptions (seen in templates exported from registries)."""


def _system_map(registry_id: str, name: str) -> ScopeMap:
    """Return one of the scope maps that every registry has; it is data, no row."""
    description, actions = SYSTEM_MAPS[name]
    return ScopeMap(
        id="", registry_id=registry_id, name=name, name_key=name, kind=SYSTEM_DEFINED, description=description,
        created="", created_by="", modified="", modified_by="", actions=list(actions),
    )  # fmt: skip


def remove_all(session: Session, registry_id: str) -> None:
    """Delete the tokens and scope maps of a registry."""
    session.exec(delete(RegistryToken).where(col(RegistryToken.registry_id) == registry_id))
    session.exec(delete(ScopeMap).where(col(ScopeMap.registry_id) == registry_id))
