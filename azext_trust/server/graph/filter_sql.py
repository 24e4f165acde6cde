"""A $filter as SQL, as far as it goes: the database answers what it has an index or a column for.

A translation is exact, or it lets more through: then each object is tested once more. What cannot be translated lets
everything through; under ``not`` only exact parts are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, false, func, not_, or_, true
from sqlmodel import col, select

from azext_trust.server.graph.filter_syntax import Among, Call, Compare, Joined, Lambda, Negated, Node, Value
from azext_trust.server.store import clock
from azext_trust.server.store.principals import Application, DirectoryObject, ServicePrincipalName

Clause = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Sql:
    """A condition, and whether it says exactly what the filter says."""

    clause: Clause
    exact: bool


ALL = Sql(true(), exact=False)
"""Lets everything through."""


@dataclass(frozen=True, slots=True)
class Field:
    """How a member is held: an expression for it, its values as held, and whether these are texts."""

    column: Any
    held: Callable[[Value], object]
    text: bool = True


def _lower(value: Value) -> object:
    return value.lower() if isinstance(value, str) else value


def _moment(value: Value) -> object:
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return clock.to_text(found) if found.tzinfo else None


def _json(model: type[DirectoryObject] | type[Application], name: str) -> Any:
    held: Any = col(model.properties)
    return func.lower(held[name].as_string())  # a JSON column


def _fields(model: type[DirectoryObject] | type[Application], *members: str) -> dict[str, Field]:
    found = {
        "id": Field(col(model.id), _lower), "displayname": Field(col(model.display_key), _lower),
        "createddatetime": Field(col(model.created), _moment),
    }  # fmt: skip
    return found | {name.lower(): Field(_json(model, name), _lower) for name in members}


FIELDS: Mapping[str, Mapping[str, Field]] = {
    "users": _fields(DirectoryObject, "mail", "mailNickname", "jobTitle", "department", "givenName", "surname",
                     "employeeId", "city", "country", "companyName", "officeLocation") | {
        "userprincipalname": Field(col(DirectoryObject.upn_key), _lower),
        "accountenabled": Field(col(DirectoryObject.enabled), lambda value: value, text=False),
    },
    "groups": _fields(DirectoryObject, "mailNickname", "description"),
    "servicePrincipals": _fields(DirectoryObject) | {
        "appid": Field(col(DirectoryObject.app_id), _lower),
        "accountenabled": Field(col(DirectoryObject.enabled), lambda value: value, text=False),
    },
    "applications": _fields(Application) | {"appid": Field(col(Application.app_id), _lower)},
    "directoryObjects": _fields(DirectoryObject),
}  # fmt: skip
"""What the database can be asked for, by collection and member in lower case."""
_LISTS = {"applications": Application.properties, "servicePrincipals": DirectoryObject.properties}


def translate(node: Node, collection: str) -> Sql:
    """Return a filter on a collection as SQL."""
    if isinstance(node, Joined):
        parts = [translate(part, collection) for part in node.parts]
        joined = (and_ if node.word == "and" else or_)(*(part.clause for part in parts))
        return Sql(joined, all(part.exact for part in parts))
    if isinstance(node, Negated):
        inner = translate(node.part, collection)
        return Sql(not_(func.coalesce(inner.clause, false())), exact=True) if inner.exact else ALL
    if isinstance(node, Lambda):
        return _over(node, collection)
    field = FIELDS[collection].get(node.path.lower())
    if field is None:
        return ALL
    if isinstance(node, Call):
        return _called(node, field)
    values = node.values if isinstance(node, Among) else (node.value,)
    if not all(_simple(value, field) for value in values):
        return ALL
    if isinstance(node, Among):
        return Sql(field.column.in_([field.held(value) for value in values]), exact=True)
    return _compared(node, field)


def _simple(value: Value, field: Field) -> bool:
    """Tell whether the database compares a value as Entra does; its lower case of other letters than ASCII differs."""
    if field.text:
        return isinstance(value, str) and (value.isascii() or field.column.key == "display_key")
    return isinstance(value, bool)


def _compared(node: Compare, field: Field) -> Sql:
    value = field.held(node.value)
    if value is None:
        return ALL
    if node.operator == "eq":
        # A moment is shown without its fraction: what is held is never equal to what is asked.
        return ALL if field.held is _moment else Sql(field.column == value, exact=True)
    if node.operator == "ne":
        return ALL if field.held is _moment else Sql(func.coalesce(field.column != value, true()), exact=True)
    if not field.text or field.held is not _moment:
        return ALL
    text = str(value)
    until = text[:19] + ".9999999Z"
    return Sql(field.column >= text[:19] if node.operator in ("ge", "gt") else field.column <= until, exact=False)


def _called(node: Call, field: Field) -> Sql:
    if node.name == "contains" or not field.text or field.held is _moment or not _simple(node.value, field):
        return ALL
    text = cast(field.column, String)
    value = node.value.lower()
    if node.name == "startswith":
        return Sql(func.coalesce(text.startswith(value, autoescape=True), false()), exact=True)
    return Sql(func.coalesce(text.endswith(value, autoescape=True), false()), exact=True)


def _over(node: Lambda, collection: str) -> Sql:
    inner = node.inner
    if node.every or inner is None or isinstance(inner, Joined | Negated | Lambda | Among):
        return ALL
    equal = isinstance(inner, Compare) and inner.operator == "eq" and isinstance(inner.value, str)
    begins = isinstance(inner, Call) and inner.name == "startswith"
    if not (equal or begins) or not str(inner.value).isascii():
        return ALL
    value = str(inner.value).lower()
    if collection == "servicePrincipals" and node.path.lower() == "serviceprincipalnames":
        key = col(ServicePrincipalName.name_key)
        names = select(ServicePrincipalName.principal_id).where(
            key == value if equal else key.startswith(value, autoescape=True)
        )
        return Sql(col(DirectoryObject.id).in_(names), exact=True)
    held = _LISTS.get(collection)
    if held is None or "\\" in value or '"' in value:
        return ALL
    # Somewhere in the object's members stands such a text: few objects, each of which is tested.
    return Sql(func.lower(cast(held, String)).contains(f'"{value}', autoescape=True), exact=False)
