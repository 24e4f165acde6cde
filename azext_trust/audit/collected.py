"""Facts as they come in, from whatever source, and the tenant that is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from azext_trust.names import scopes
from azext_trust.rbac import roles
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import ALL_SUBSCRIPTIONS, GROUP, DenyAssignment, Principal, RoleAssignment, RoleDefinition
from azext_trust.rbac.questions.facts import Event, Lock, Person, Registry, ScopeToken, State, Stored, Unknown
from azext_trust.rbac.questions.held import Gaps, HeldSight, HeldTenant
from azext_trust.rbac.questions.trust import Repository


@dataclass(frozen=True, slots=True)
class Assigned:
    """A role assignment as it came in.

    Attributes:
        row: the assignment.
        stored: its record.
        principal_type: as the row says, or empty.
        principal_name: as the row says; None where it does not say.
        deleted: the row itself says that the principal is gone.
        role_name: as the row says, or empty.
        display_name: as the row says, or empty.
    """

    row: RoleAssignment
    stored: Stored
    principal_type: str = ""
    principal_name: str | None = None
    deleted: bool = False
    role_name: str = ""
    display_name: str = ""


@dataclass
class Collected:
    """What came in.

    Attributes:
        people: everybody that a directory row tells of.
        listed: kinds of principals whose whole list came in: who is not in it is deleted.
        names: further names (lower case) to object ids.
        members: group id to its direct members, for the groups whose members came in.
        classic: user name (lower case) to the subscriptions it is a classic administrator of; ``*`` for all.
        parents: scope to the management group it lies in.
        above: subscription key to the management groups above it, in no order, where only that is told.
        somewhere: management groups that lie above some subscription, and nothing tells above which.
        inspected: login server and repository, of ``docker trust inspect``.
        applications: appId to the names of its service principal.
        tokens: registry key to tokens with the key of their scope map.
        scope_maps: key of a scope map to its actions.
        gaps: what could not be read, as far as the source knows.
        raw: rows as they came, by kind: fields that are not understood are kept.
    """

    people: dict[str, Person] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    names: dict[str, list[str]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    classic: dict[str, set[str]] = field(default_factory=dict)
    roles: dict[str, RoleDefinition] = field(default_factory=dict)
    assignments: list[Assigned] = field(default_factory=list)
    denies: list[DenyAssignment] = field(default_factory=list)
    parents: dict[str, str] = field(default_factory=dict)
    subscriptions: dict[str, str] = field(default_factory=dict)
    registries: dict[str, Registry] = field(default_factory=dict)
    tokens: dict[str, list[tuple[ScopeToken, str]]] = field(default_factory=dict)
    scope_maps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    locks: list[Lock] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    repositories: dict[str, list[Repository]] = field(default_factory=dict)
    above: dict[str, set[str]] = field(default_factory=dict)
    somewhere: set[str] = field(default_factory=set)
    inspected: list[tuple[str, Repository]] = field(default_factory=list)
    applications: list[tuple[str, list[str]]] = field(default_factory=list)
    gaps: Gaps = field(default_factory=Gaps)
    raw: dict[str, list[object]] = field(default_factory=dict)
    no_members: str = "its members were not read"
    no_assignments: str = "no role assignment of it was read"


def tenant(found: Collected, now: datetime) -> HeldTenant:
    """Return the tenant that facts make.

    Args:
        found: what came in; it is taken over.
        now: the present.
    """
    index = Index()
    _roles(found, index)
    for scope, parent in found.parents.items():
        index.put_parent(scope, parent)
    present = _present(found)
    _directory(found, index, present)
    index.put_assignments(_unique(found))
    for deny in found.denies:
        index.put_deny(deny)
    registries = _registries(found)
    _gaps(found, index, registries)
    sight = HeldSight(index, found.gaps)
    state = State(index, registries, tuple(found.locks))
    return HeldTenant(
        state, now, sight, found.people, {one.row.id: one.stored for one in found.assignments},
        sorted(found.events, key=lambda event: event.time),
        {key: tuple(rows) for key, rows in found.repositories.items()}, found.names,
    )  # fmt: skip


def _unique(found: Collected) -> list[RoleAssignment]:
    """Return each assignment once: inherited ones stand in the export of every subscription below them."""
    return list({one.row.id: one.row for one in found.assignments}.values())


def _roles(found: Collected, index: Index) -> None:
    for role in roles.built_in_roles().values():
        index.put_role(role)
    for role in found.roles.values():
        index.put_role(role)


def _present(found: Collected) -> dict[str, str]:
    """Return who is in the directory, with its kind: who is listed, or assigned and nothing says that it is gone."""
    present = {one.id: one.kind for one in found.people.values()}
    for one in found.assignments:
        who, kind = one.row.principal_id, one.principal_type
        if who in present or one.deleted or kind in found.listed:
            continue
        if not kind and found.listed >= {"User", GROUP, "ServicePrincipal"}:
            continue
        # Of a kind that is not told it may be a group: its members are then not known.
        present[who] = kind or GROUP
        found.people[who] = Person(who, kind or "Unknown", one.principal_name or "", one.display_name)
    for group, members in found.members.items():
        for who in (group, *members):
            if who not in present and GROUP not in found.listed:
                present[who] = GROUP if who == group else "User"
    return present


def _directory(found: Collected, index: Index, present: dict[str, str]) -> None:
    # Groups first: the sets of bits that decisions rest on are then short.
    for who, kind in sorted(present.items(), key=lambda row: row[1] != GROUP):
        person = found.people.get(who)
        classic = found.classic.get(person.name.lower()) if person is not None and person.name else None
        held = ALL_SUBSCRIPTIONS if classic and "*" in classic else frozenset(classic or ())
        index.put_principal(Principal(who, kind, held))
    for group, members in found.members.items():
        for member in members:
            index.put_member(group, member)


def _registries(found: Collected) -> dict[str, Registry]:
    registries = dict(found.registries)
    for one in found.assignments:
        key = _registry_key(one.row.scope)
        if key and key not in registries:
            # Nobody told of this registry but those who are assigned there.
            scope = "/".join(scopes.canonical(one.row.scope).split("/")[:9])
            registries[key] = Registry(scope, scope.rsplit("/", 1)[1], trust=True)
            text = f"settings of registry {registries[key].name} (admin account, mode, content trust)"
            found.gaps.at.setdefault(key, []).append(Unknown(text, "the registry was not read", scope))
    for key, tokens in found.tokens.items():
        if key in registries:
            made = tuple(replace(token, actions=found.scope_maps.get(name, ())) for token, name in tokens)
            registries[key] = replace(registries[key], tokens=made)
    return dict(sorted(registries.items()))


def _registry_key(scope: str) -> str:
    parts = scopes.key(scope).split("/")
    named = parts[5:8] == ["providers", "microsoft.containerregistry", "registries"]
    return "/".join(parts[:9]) if named and len(parts) >= 9 else ""


def _gaps(found: Collected, index: Index, registries: dict[str, Registry]) -> None:
    gaps = found.gaps
    if not found.assignments and not gaps.closed and not gaps.everything:
        gaps.everything = "no role assignments were read"
        gaps.general.append(Unknown("role assignments", gaps.everything))
    for group in _groups(found, index):
        if group not in found.members:
            gaps.groups.setdefault(group, found.no_members)
    for one in found.assignments:
        if index.role(one.row.role_id) is None:
            name = one.role_name or one.row.role_id
            unknown = Unknown(f"what the role {name} gives", "its definition was not read", one.row.scope)
            rows = gaps.roles.setdefault(index.tree.chain(one.row.scope)[0], [])
            if unknown not in rows:
                rows.append(unknown)
    _silent_subscriptions(found, index, registries)


def _groups(found: Collected, index: Index) -> Iterator[str]:
    """Yield the groups that matter: those that are assigned or denied anything, and the groups in them."""
    named = {one.row.principal_id for one in found.assignments}
    named |= {who for deny in found.denies for who in (*deny.principals, *deny.exclude_principals)}
    seen: set[str] = set()
    edge = list(named)
    while edge:
        who = edge.pop()
        number = index.numbers.known(who)
        principal = index.principal(number) if number is not None else None
        if who in seen or principal is None or principal.kind != GROUP:
            continue
        seen.add(who)
        yield who
        edge += found.members.get(who, ())


def _silent_subscriptions(found: Collected, index: Index, registries: dict[str, Registry]) -> None:
    """Close the subscriptions of which no assignment came in: there is always one."""
    told = {key for one in found.assignments for key in index.tree.chain(one.row.scope)}
    for registry in registries.values():
        key = "/".join(registry.key.split("/")[:3])
        if key not in told and key not in found.gaps.closed and not found.gaps.everything:
            found.gaps.closed[key] = found.no_assignments
