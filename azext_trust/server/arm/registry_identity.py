"""The managed identities of a registry: a system-assigned one, and user-assigned ones by resource id."""

from __future__ import annotations

from azext_trust.names import scopes
from azext_trust.server.arm import bodies, errors
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Call
from azext_trust.server.store import identities, principals, registries, resources
from azext_trust.server.store.transaction import Transaction

_SYSTEM, _USER, _BOTH, _NONE = "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned", "None"
_KINDS = {"systemassigned": _SYSTEM, "userassigned": _USER, "systemassigned,userassigned": _BOTH, "none": _NONE}


def apply(transaction: Transaction, call: Call, row: registries.Registry, scope: str, given: object) -> None:
    """Bring a body's ``identity`` into a registry.

    Args:
        transaction: a writing one.
        call: the request; assigning an identity takes ``assign/action`` on it.
        row: the registry.
        scope: its resource id.
        given: the body's member; user-assigned identities set to null are taken away, as in PATCH (RFC 7396).

    Raises:
        ServiceError: no such type or identity.
        azext_trust.server.gate.authorise.Denied: the caller may not assign an identity.
    """
    if not isinstance(given, dict):
        raise errors.invalid_content("The property 'identity' must be an object.")
    kind = _KINDS.get(str(given.get("type", "")).replace(" ", "").lower())
    if kind is None:
        raise errors.bad_policy("identity", "type", given.get("type"), ", ".join(dict.fromkeys(_KINDS.values())))
    held = dict(_held(row))
    users = dict(_users(held)) if kind in (_USER, _BOTH) else {}
    asked = given.get("userAssignedIdentities")
    for name, value in asked.items() if isinstance(asked, dict) and kind in (_USER, _BOTH) else ():
        users = {one: shown for one, shown in users.items() if scopes.key(one) != scopes.key(str(name))}
        if value is not None:
            users[str(name)] = _assigned(transaction, call, str(name))
    if kind in (_USER, _BOTH) and not users:
        kind = _SYSTEM if kind == _BOTH else _NONE
    shown: dict[str, object] = {"type": kind}
    if kind in (_SYSTEM, _BOTH):
        shown = {"principalId": _system(transaction, row, scope, held), "tenantId": transaction.tenant_id(), **shown}
    else:
        remove(transaction, row)
    if users:
        shown["userAssignedIdentities"] = users
    kept = {name: value for name, value in row.properties.items() if name != registries.IDENTITY}
    row.properties = kept if kind == _NONE else kept | {registries.IDENTITY: shown}


def _held(row: registries.Registry) -> dict[str, object]:
    held = row.properties.get(registries.IDENTITY)
    return held if isinstance(held, dict) else {}


def _users(held: dict[str, object]) -> dict[str, object]:
    users = held.get("userAssignedIdentities")
    return users if isinstance(users, dict) else {}


def _assigned(transaction: Transaction, call: Call, name: str) -> dict[str, object]:
    identity = identities.by_scope(transaction.session, scopes.key(name))
    if identity is None:
        raise errors.refuse("no_identity", name=name)
    group = resources.resource_group(transaction.session, identity.subscription_id, identity.group_key)
    scope = bodies.identity_id(identity, group.name if group else identity.group_key)
    Authoriser(transaction, call.caller).require(f"{bodies.IDENTITY}/assign/action", scope)
    return {"principalId": identity.principal_id, "clientId": identity.client_id}


def _system(transaction: Transaction, row: registries.Registry, scope: str, held: dict[str, object]) -> str:
    """Return the system-assigned identity's principal, made when there is none yet."""
    known = held.get("principalId")
    if known:
        return str(known)
    return identities.add_system_principal(transaction.session, row.name, scope, transaction.now_text()).id


def remove(transaction: Transaction, row: registries.Registry) -> None:
    """Take the system-assigned identity's principal out of the directory, if there is one."""
    known = _held(row).get("principalId")
    if known:
        principals.remove(transaction.session, str(known))
