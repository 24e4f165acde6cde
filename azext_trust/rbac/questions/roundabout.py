"""Ways round: who could give itself a capability that no role of it names (rbac-semantics.md section 12)."""

from __future__ import annotations

from collections.abc import Iterator

from azext_trust.rbac import bits, capabilities, decide, operations
from azext_trust.rbac.capabilities import Indirect
from azext_trust.rbac.model import Query
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import fixes
from azext_trust.rbac.questions.asked import Asked, Place
from azext_trust.rbac.questions.facts import Tenant
from azext_trust.rbac.who_can import WhoCan

ASSIGN = "Microsoft.Authorization/roleAssignments/write"
_OWN = "own assignment"
_ATTRIBUTE = "Microsoft.Authorization/roleAssignments:"


def holders(tenant: Tenant, asked: Asked, place: Place, direct: int) -> Iterator[tuple[str, str]]:
    """Yield who could, with all its ways, leaving out those who can already.

    Args:
        tenant: the facts.
        asked: what is asked; only capabilities have ways round.
        place: a registry.
        direct: who can already, as bits.
    """
    registry = place.registry
    if registry is None or asking.needs(asked, place) is None:
        return
    name = tenant.state.index.numbers.name
    ways: dict[str, list[str]] = {}
    for indirect in capabilities.indirect():
        if asked.word not in indirect.gives or (indirect.where and not registry.admin):
            continue
        found = WhoCan(tenant.state.index, indirect.needs, now=tenant.now).at(place.scope)
        for number in bits.numbers((found.people() | found.people(depends=True)) & ~direct):
            depends = bits.has(found.maybe, number)
            if indirect.name != _OWN or not depends or can_assign_itself(tenant, name(number), asked, place):
                ways.setdefault(name(number), []).append(_words(indirect))
    yield from ((who, "; ".join(found)) for who, found in ways.items())


def _words(indirect: Indirect) -> str:
    return {
        _OWN: "right to assign itself the role", "admin account": "right to enable the admin account and read its password",
        "admin password": "right to read the admin account's password",
        "repository token": "right to make a repository-scoped token",
    }[indirect.name]  # fmt: skip


def can_assign_itself(tenant: Tenant, principal_id: str, asked: Asked, place: Place) -> bool:
    """Tell whether a constrained delegate's condition admits all the roles that it would need, for itself."""
    index = tenant.state.index
    needed = [group[0] for group in asking.needs(asked, place) or ()]
    missing = [action for action in needed if not _allowed(tenant, principal_id, action, place.scope, {})]
    roles = fixes.roles_for(index, missing, place.scope)
    number = index.numbers.known(principal_id)
    known = index.principal(number) if number is not None else None
    kind = known.kind if known else "User"
    return bool(roles) and all(
        _allowed(tenant, principal_id, ASSIGN, place.scope, {
            f"{_ATTRIBUTE}RoleDefinitionId": role.id, f"{_ATTRIBUTE}PrincipalId": principal_id,
            f"{_ATTRIBUTE}PrincipalType": kind,
        })
        for role in roles
    )  # fmt: skip


def _allowed(tenant: Tenant, principal_id: str, action: str, scope: str, request: dict[str, object]) -> bool:
    query = Query(action, operations.is_data_action(action), scope, request, now=tenant.now, open=not request)
    return decide.allows(tenant.state.index, principal_id, query)
