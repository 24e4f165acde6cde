"""App registrations."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import bodies, certificates, errors, query
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction

_WRITABLE = (
    "description", "groupMembershipClaims", "identifierUris", "isDeviceOnlyAuthSupported", "isFallbackPublicClient",
    "notes", "signInAudience", "tags", "optionalClaims", "api", "appRoles", "info", "publicClient",
    "requiredResourceAccess", "web", "spa", "serviceManagementReference",
)  # fmt: skip


def named(transaction: Transaction, object_id: str) -> principals.Application:
    """Return the application with this object id (not its appId).

    Raises:
        ServiceError: Request_ResourceNotFound.
    """
    found = transaction.session.get(principals.Application, object_id.lower())
    if found is None:
        raise errors.no_object(object_id)
    return found


def body_of(transaction: Transaction, row: principals.Application) -> query.Body:
    """Return an application as Graph shows it."""
    return bodies.application(row, principals.credentials(transaction.session, [row.id]))


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return applications."""
    wanted = query.simple(call)
    rows: Iterable[principals.Application]
    if wanted and wanted[0] == "appid":
        found = principals.application_by_app_id(transaction.session, wanted[1])
        rows = [found] if found else []
    else:
        rows = principals.applications(transaction.session)
    return query.listing(call, "applications", (body_of(transaction, row) for row in rows))


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one application."""
    return query.entity(call, "applications", body_of(transaction, named(transaction, call.params["id"])))


def create(transaction: Transaction, call: Call) -> Reply:
    """Register an application; its creator owns it."""
    body = call.json()
    name = body.get("displayName")
    if not isinstance(name, str) or not name:
        raise errors.bad_request("A value is required for property 'displayName' of resource 'Application'.")
    row = principals.Application(
        id=str(uuid.uuid4()), app_id=str(uuid.uuid4()), display_name=name, display_key=name.lower(),
        created=transaction.now_text(),
    )  # fmt: skip
    transaction.session.add(row)
    transaction.session.flush()
    _apply(transaction, row, body)
    transaction.session.add(principals.Ownership(object_id=row.id, owner_id=call.caller.id))
    call.change(after={"id": row.id, "appId": row.app_id, "displayName": row.display_name})
    return query.entity(call, "applications", body_of(transaction, row), 201)


def _apply(transaction: Transaction, row: principals.Application, body: dict[str, object]) -> None:
    uris = body.get("identifierUris")
    if isinstance(uris, list):
        for uri in uris:
            other = principals.service_principal_by_name(transaction.session, str(uri))
            held = principals.application_with_uri(transaction.session, str(uri))
            if (other is not None and other.app_id != row.app_id) or (held is not None and held.id != row.id):
                raise errors.taken("identifierUris")
    row.properties = {**row.properties, **{name: body[name] for name in _WRITABLE if name in body}}
    keys = body.get("keyCredentials")
    if isinstance(keys, list):
        certificates.replace(transaction, row.id, keys)
    principal = principals.service_principal_by_app_id(transaction.session, row.app_id)
    if principal is not None:
        principal.display_name, principal.display_key = row.display_name, row.display_key
        if isinstance(uris, list):
            principals.set_service_principal_names(transaction.session, principal.id, [row.app_id, *map(str, uris)])
    transaction.session.flush()


def update(transaction: Transaction, call: Call) -> Reply:
    """Change an application; its service principal follows."""
    row, body = named(transaction, call.params["id"]), call.json()
    before = {"displayName": row.display_name, **row.properties}
    if body.get("displayName"):
        row.display_name = str(body["displayName"])
        row.display_key = row.display_name.lower()
    _apply(transaction, row, body)
    call.change(before=before, after={"displayName": row.display_name, **row.properties})
    return query.reply(call, None, 204)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete an application with its service principal."""
    row = named(transaction, call.params["id"])
    call.change(before={"id": row.id, "appId": row.app_id, "displayName": row.display_name})
    principal = principals.service_principal_by_app_id(transaction.session, row.app_id)
    if principal is not None:
        principals.remove(transaction.session, principal.id)
    principals.remove(transaction.session, row.id)
    transaction.session.delete(row)
    return query.reply(call, None, 204)
