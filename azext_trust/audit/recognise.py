"""What a row of an export is, told by its members; and where it goes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from azext_trust.audit import inspected, shapes
from azext_trust.audit.collected import Collected
from azext_trust.audit.shapes import Flat
from azext_trust.names.guids import is_guid
from azext_trust.rbac.questions.facts import Unknown

Take = Callable[[Collected, Flat], str]
"""Takes a row in and returns what kind of row it was."""


def take(found: Collected, row: Any, group: str = "") -> str:
    """Take a row in.

    Args:
        found: where it goes.
        row: what a file holds.
        group: the group whose member it is, or empty.

    Returns:
        What it is: ``assignment``, ``role``, ``User`` ...; empty when it is nothing that an audit knows.

    Raises:
        azext_trust.audit.shapes.BadRow: it is such a row, and cannot be read.
    """
    if not isinstance(row, Mapping):
        return ""
    flat = shapes.flat(row)
    if group:
        return _member(found, flat, group)
    kind = kind_of(flat)
    if not kind:
        return ""
    found.raw.setdefault(kind, []).append(row)
    return KINDS[kind](found, flat)


_BY_TYPE = {
    "microsoft.authorization/roleassignments": "assignment", "microsoft.authorization/roledefinitions": "role",
    "microsoft.authorization/denyassignments": "deny", "microsoft.authorization/locks": "lock",
    "microsoft.authorization/classicadministrators": "classic",
    "microsoft.management/managementgroups": "management group",
    "/providers/microsoft.management/managementgroups": "management group",
    "microsoft.containerregistry/registries": "registry", "microsoft.containerregistry/registries/tokens": "token",
    "microsoft.containerregistry/registries/scopemaps": "scope map", "microsoft.resources/subscriptions": "subscription",
    "/subscriptions": "subscription",
}  # fmt: skip
_BY_MEMBERS: tuple[tuple[str, frozenset[str]], ...] = (
    ("event", frozenset({"eventtimestamp", "correlationid"})),
    ("assignment", frozenset({"roledefinitionid", "objectid", "scope"})),
    ("assignment", frozenset({"roledefinitionid", "principalid", "scope"})),
    ("deny", frozenset({"denyassignmentname", "principals", "scope"})),
    ("role", frozenset({"iscustom", "actions", "assignablescopes"})),
    ("role", frozenset({"permissions", "rolename"})),
    ("trust", frozenset({"signedtags", "name"})),
    ("token", frozenset({"scopemapid", "credentials"})),
    ("registry", frozenset({"loginserver", "id", "name"})),
    ("lock", frozenset({"level", "id", "name", "notes"})),
    ("management group", frozenset({"parentnamechain", "parent", "id"})),
    ("subscription", frozenset({"tenantid", "id", "name", "state"})),
    ("subscription", frozenset({"tenantid", "subscriptionpolicies", "subscriptionid"})),
    ("application", frozenset({"appid", "id", "identifieruris"})),
)  # fmt: skip
"""What a row is by the members it has; the first that fits counts."""


def kind_of(row: Flat) -> str:
    """Return what a row is, empty for anything unknown."""
    own = row.get("type")
    known = _BY_TYPE.get(own.lower()) if isinstance(own, str) else None
    if known:
        return known
    if shapes.person_kind(row):
        return "person"
    return next((kind for kind, members in _BY_MEMBERS if members <= row.keys()), "")


def _member(found: Collected, row: Flat, group: str) -> str:
    kind = shapes.person_kind(row)
    who = shapes.text(row, "id", "objectid").lower()
    if kind:
        person = shapes.person(row)
        found.people.setdefault(person.id, person)
    found.members[group].append(who)
    return "member"


def _assignment(found: Collected, row: Flat) -> str:
    found.assignments.append(shapes.assignment(row))
    return "assignment"


def _role(found: Collected, row: Flat) -> str:
    made = shapes.role(row)
    found.roles[made.id] = made
    return "role"


def _deny(found: Collected, row: Flat) -> str:
    found.denies.append(shapes.deny(row))
    return "deny"


def _lock(found: Collected, row: Flat) -> str:
    found.locks.append(shapes.lock(row))
    return "lock"


def _person(found: Collected, row: Flat) -> str:
    person = shapes.person(row)
    found.people[person.id] = person
    for name in shapes.principal_names(row):
        found.names.setdefault(name, []).append(person.id)
    return person.kind


def _registry(found: Collected, row: Flat) -> str:
    made = shapes.registry(row)
    found.registries[made.key] = made
    return "registry"


def _token(found: Collected, row: Flat) -> str:
    registry, made, scope_map = shapes.token(row)
    found.tokens.setdefault(registry, []).append((made, scope_map))
    return "token"


def _scope_map(found: Collected, row: Flat) -> str:
    key, actions = shapes.scope_map(row)
    found.scope_maps[key] = actions
    return "scope map"


def _subscription(found: Collected, row: Flat) -> str:
    own = shapes.text(row, "subscriptionid", "id")
    name = own.rstrip("/").rsplit("/", 1)[-1].lower()
    if not is_guid(name):
        return ""
    found.subscriptions[name] = shapes.text(row, "displayname", "name", default=name)
    parent = row.get("parent")
    if isinstance(parent, Mapping) and parent.get("id"):
        found.parents[f"/subscriptions/{name}"] = str(parent["id"])
    chain = row.get("managementgroupancestorschain")
    if isinstance(chain, list):
        _chain(found, f"/subscriptions/{name}", [str(one.get("name")) for one in chain if isinstance(one, Mapping)])
    _named_chain(found, f"/subscriptions/{name}", row)
    return "subscription"


def _named_chain(found: Collected, scope: str, row: Flat) -> None:
    """Note the management groups above an entity (getEntities, ``parentNameChain``: the root group comes first).

    The list of entities holds only those the caller may see; the chain also names the ones above.
    """
    chain = row.get("parentnamechain")
    if isinstance(chain, list):
        _chain(found, scope, [str(name) for name in reversed(chain)])


def _chain(found: Collected, scope: str, groups: list[str]) -> None:
    """Note the management groups above a scope, nearest first (Resource Graph)."""
    for group in groups:
        above = f"/providers/Microsoft.Management/managementGroups/{group}"
        found.parents[scope] = above
        scope = above


def _management_group(found: Collected, row: Flat) -> str:
    own = shapes.text(row, "id")
    parent = row.get("parent") or (row.get("details") or {}).get("parent")
    if isinstance(parent, Mapping) and parent.get("id"):
        found.parents[own] = str(parent["id"])
    details = row.get("details")
    chain = details.get("managementGroupAncestorsChain") if isinstance(details, Mapping) else None
    if isinstance(chain, list):
        _chain(found, own, [str(one.get("name")) for one in chain if isinstance(one, Mapping)])
    _named_chain(found, own, row)
    for child in row.get("children") or ():
        if isinstance(child, Mapping) and child.get("id"):
            found.parents[str(child["id"])] = own
            take(found, child)
    return "management group"


def _classic(found: Collected, row: Flat) -> str:
    subscription = re.match(r"/subscriptions/([^/]+)", shapes.text(row, "id", default=""), re.IGNORECASE)
    held = found.classic.setdefault(shapes.text(row, "emailaddress").lower(), set())
    held.add(subscription[1].lower() if subscription else "*")
    return "classic"


def _event(found: Collected, row: Flat) -> str:
    made = shapes.event(row)
    if made is not None:
        found.events.append(made)
    return "event"


def _trust(found: Collected, row: Flat) -> str:
    """Take what ``docker trust inspect`` prints; its registry is the one whose login server the name begins with."""
    repository = inspected.repository(row)
    found.inspected.append((repository.gun.partition("/")[0].lower(), repository))
    return "trust"


def _application(found: Collected, row: Flat) -> str:
    """Take an application registration: it is no principal, yet its identifier URIs name its service principal."""
    app_id = shapes.text(row, "appid").lower()
    found.applications.append((app_id, [str(uri).lower() for uri in row.get("identifieruris") or ()]))
    return "application"


KINDS: Mapping[str, Take] = {
    "assignment": _assignment, "role": _role, "deny": _deny, "lock": _lock, "person": _person, "registry": _registry,
    "token": _token, "scope map": _scope_map, "subscription": _subscription, "management group": _management_group,
    "classic": _classic, "event": _event, "trust": _trust, "application": _application,
}  # fmt: skip


def settle(found: Collected) -> None:
    """Bring together what stands in different rows: applications, trust data, management groups."""
    by_app = {one.app_id.lower(): one.id for one in found.people.values() if one.app_id}
    for app_id, names in found.applications:
        for name in (app_id, *names):
            if app_id in by_app:
                found.names.setdefault(name, []).append(by_app[app_id])
    for key, registry in found.registries.items():
        if not registry.login_server:
            found.registries[key] = replace(registry, login_server=f"{registry.name.lower()}.azurecr.io")
    hosts = {one.login_server.lower(): key for key, one in found.registries.items()}
    for host, repository in found.inspected:
        if host in hosts:
            found.repositories.setdefault(hosts[host], []).append(repository)
    if not found.parents:
        _guess_parents(found)


def _guess_parents(found: Collected) -> None:
    """Say which management groups lie above a subscription when only inherited assignments tell.

    A group above more subscriptions is higher up; the order of two above the same ones does not matter.
    """
    counted = Counter(group for groups in found.above.values() for group in groups)
    for subscription, groups in found.above.items():
        scope = subscription
        for group in sorted(groups, key=lambda name: (counted[name], name)):
            if found.parents.setdefault(scope, group) != group:
                _unknown_place(found, group)
            scope = group
    for group in found.somewhere - counted.keys():
        _unknown_place(found, group)


def _unknown_place(found: Collected, group: str) -> None:
    unknown = Unknown(f"which subscriptions lie below {group}", "the export does not tell of management groups", group)
    if unknown not in found.gaps.general:
        found.gaps.general.append(unknown)
        for registry in found.registries.values():
            found.gaps.at.setdefault("/".join(registry.key.split("/")[:3]), []).append(unknown)
