"""What applications were granted: delegated permissions, and application roles (az ad app permission)."""

from __future__ import annotations

import base64
import uuid

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import errors, query, references, service_principals
from azext_trust.server.store import consents, principals
from azext_trust.server.store.consents import PermissionGrant, RoleGrant
from azext_trust.server.store.transaction import Transaction

_CONSENTS = {"allprincipals": "AllPrincipals", "principal": "Principal"}
_DEFAULT_ROLE = "00000000-0000-0000-0000-000000000000"


def _body(row: PermissionGrant) -> query.Body:
    return {
        "clientId": row.client_id, "consentType": row.consent_type, "id": row.id, "principalId": row.principal_id,
        "resourceId": row.resource_id, "scope": row.scope,
    }  # fmt: skip


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the grants of delegated permissions."""
    rows = consents.permission_grants(transaction.session)
    return query.listing(call, "oauth2PermissionGrants", (_body(row) for row in rows))


def _named(transaction: Transaction, call: Call) -> PermissionGrant:
    row = transaction.session.get(PermissionGrant, call.params["id"])
    if row is None:
        raise errors.no_object(call.params["id"])
    return row


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one grant."""
    return query.entity(call, "oauth2PermissionGrants", _body(_named(transaction, call)))


def create(transaction: Transaction, call: Call) -> Reply:
    """Grant delegated permissions to a client at a resource, for everybody or for one user."""
    body = call.json()
    client = service_principals.named(transaction, str(body.get("clientId") or ""))
    resource = service_principals.named(transaction, str(body.get("resourceId") or ""))
    consent = _CONSENTS.get(str(body.get("consentType")).lower())
    if consent is None:
        raise errors.bad_request("Invalid value specified for property 'consentType' of resource "
                                 "'OAuth2PermissionGrant'.")  # fmt: skip
    who = references.found(transaction, str(body.get("principalId"))).id if consent == "Principal" else None
    for held in consents.permission_grants(transaction.session, client.id):
        if (held.resource_id, held.principal_id) == (resource.id, who):
            raise errors.conflict("Permission entry already exists.")
    row = PermissionGrant(
        id=_id(), client_id=client.id, consent_type=consent, principal_id=who, resource_id=resource.id,
        scope=str(body.get("scope") or ""),
    )  # fmt: skip
    transaction.session.add(row)
    transaction.session.flush()
    call.change(after=_body(row))
    return query.entity(call, "oauth2PermissionGrants", _body(row), 201)


def _id() -> str:
    """Return an id as these objects have it: base64url of two GUIDs."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes + uuid.uuid4().bytes).decode().rstrip("=")


def update(transaction: Transaction, call: Call) -> Reply:
    """Change the permissions of a grant."""
    row = _named(transaction, call)
    before = _body(row)
    row.scope = str(call.json().get("scope") or "")
    call.change(before=before, after=_body(row))
    return query.reply(call, None, 204)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Take a grant back."""
    row = _named(transaction, call)
    call.change(before=_body(row))
    transaction.session.delete(row)
    return query.reply(call, None, 204)


def of_client(transaction: Transaction, call: Call) -> Reply:
    """Return the delegated permissions that a service principal holds."""
    own = service_principals.named(transaction, call.params["id"]).id
    rows = consents.permission_grants(transaction.session, own)
    return query.listing(call, "oauth2PermissionGrants", (_body(row) for row in rows))


def _role_body(transaction: Transaction, row: RoleGrant) -> query.Body:
    found = principals.by_ids(transaction.session, [row.principal_id, row.resource_id])
    who, what = found[row.principal_id], found[row.resource_id]
    return {
        "id": row.id, "deletedDateTime": None, "appRoleId": row.app_role_id, "createdDateTime": row.created,
        "principalDisplayName": who.display_name, "principalId": who.id, "principalType": who.kind,
        "resourceDisplayName": what.display_name, "resourceId": what.id,
    }  # fmt: skip


def roles_held(transaction: Transaction, call: Call) -> Reply:
    """Return the application roles that somebody holds."""
    own = references.found(transaction, call.params["id"]).id
    rows = consents.roles_held(transaction.session, own)
    return query.listing(call, "appRoleAssignments", (_role_body(transaction, row) for row in rows))


def roles_given(transaction: Transaction, call: Call) -> Reply:
    """Return who holds application roles at a service principal."""
    own = service_principals.named(transaction, call.params["id"]).id
    rows = consents.roles_given(transaction.session, own)
    return query.listing(call, "appRoleAssignments", (_role_body(transaction, row) for row in rows))


def give_role(transaction: Transaction, call: Call) -> Reply:
    """Give an application role of a resource."""
    body = call.json()
    who = references.found(transaction, str(body.get("principalId") or ""))
    resource = service_principals.named(transaction, str(body.get("resourceId") or ""))
    role = str(body.get("appRoleId") or _DEFAULT_ROLE).lower()
    offered = service_principals.body_of(transaction, resource)["appRoles"]
    known = {str(one.get("id")).lower() for one in offered} if isinstance(offered, list) else set()
    if role != _DEFAULT_ROLE and role not in known:
        raise errors.bad_request("Permission being assigned was not found on application "
                                 f"'{resource.display_name}'.")  # fmt: skip
    if any((row.resource_id, row.app_role_id) == (resource.id, role)
           for row in consents.roles_held(transaction.session, who.id)):  # fmt: skip
        raise errors.bad_request("Permission being assigned already exists on the object")
    row = RoleGrant(id=_id(), app_role_id=role, principal_id=who.id, resource_id=resource.id,
                    created=transaction.now_text())  # fmt: skip
    transaction.session.add(row)
    transaction.session.flush()
    call.change(after={"appRoleId": role, "principalId": who.id, "resourceId": resource.id})
    return query.entity(call, "appRoleAssignments", _role_body(transaction, row), 201)


def take_role(transaction: Transaction, call: Call) -> Reply:
    """Take an application role back."""
    row = transaction.session.get(RoleGrant, call.params["grant"])
    own = call.params["id"].lower()
    if row is None or own not in (row.principal_id, row.resource_id):
        raise errors.no_object(call.params["grant"])
    call.change(before={"appRoleId": row.app_role_id, "principalId": row.principal_id, "resourceId": row.resource_id})
    transaction.session.delete(row)
    return query.reply(call, None, 204)
