"""Service principals."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import bodies, certificates, errors, query
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction

_WRITABLE = ("description", "notes", "tags", "homepage", "loginUrl", "alternativeNames", "appRoleAssignmentRequired")


def named(transaction: Transaction, object_id: str) -> principals.DirectoryObject:
    """Return the service principal with this object id.

    Raises:
        ServiceError: Request_ResourceNotFound.
    """
    found = principals.by_id(transaction.session, object_id)
    if found is None or found.kind != principals.SERVICE_PRINCIPAL:
        raise errors.no_object(object_id)
    return found


def body_of(transaction: Transaction, row: principals.DirectoryObject) -> query.Body:
    """Return a service principal as Graph shows it."""
    session = transaction.session
    names = principals.service_principal_names(session, row.id)
    return bodies.service_principal(row, names, transaction.tenant_id(), principals.credentials(session, [row.id]))


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return service principals."""
    session, wanted = transaction.session, query.simple(call)
    rows: Iterable[principals.DirectoryObject]
    found = None
    if wanted and wanted[0] == "serviceprincipalnames":
        found = principals.service_principal_by_name(session, wanted[1])
        rows = [found] if found else []
    elif wanted and wanted[0] == "appid":
        found = principals.service_principal_by_app_id(session, wanted[1])
        rows = [found] if found else []
    else:
        name = wanted[1] if wanted and wanted[0] == "displayname" else None
        rows = principals.of_kind(session, principals.SERVICE_PRINCIPAL, name)
    return query.listing(call, "servicePrincipals", (body_of(transaction, row) for row in rows))


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one service principal."""
    row = named(transaction, call.params["id"])
    return query.entity(call, "servicePrincipals", body_of(transaction, row))


def create(transaction: Transaction, call: Call) -> Reply:
    """Create the service principal of an application."""
    body = call.json()
    app_id = str(body.get("appId") or "").lower()
    application = principals.application_by_app_id(transaction.session, app_id)
    if application is None:
        raise errors.bad_request(
            f"The appId '{app_id}' of the service principal does not reference a valid application object."
        )
    if principals.service_principal_by_app_id(transaction.session, app_id) is not None:
        raise errors.conflict(f"The service principal cannot be created, updated, or restored because the service "
                              f"principal name {app_id} is already in use.")  # fmt: skip
    row = principals.DirectoryObject(
        id=str(uuid.uuid4()), kind=principals.SERVICE_PRINCIPAL, display_name=application.display_name,
        display_key=application.display_key, app_id=app_id, enabled=body.get("accountEnabled") is not False,
        created=transaction.now_text(),
    )  # fmt: skip
    transaction.session.add(row)
    transaction.session.flush()
    uris = application.properties.get("identifierUris")
    names = [app_id, *(map(str, uris) if isinstance(uris, list) else ())]
    principals.set_service_principal_names(transaction.session, row.id, names)
    call.change(after={"id": row.id, "appId": app_id, "displayName": row.display_name})
    return query.entity(call, "servicePrincipals", body_of(transaction, row), 201)


def update(transaction: Transaction, call: Call) -> Reply:
    """Change a service principal."""
    row, body = named(transaction, call.params["id"]), call.json()
    before = {"accountEnabled": row.enabled, **row.properties}
    if isinstance(body.get("accountEnabled"), bool):
        row.enabled = bool(body["accountEnabled"])
    names = body.get("servicePrincipalNames")
    if isinstance(names, list):
        for name in names:
            other = principals.service_principal_by_name(transaction.session, str(name))
            if other is not None and other.id != row.id:
                raise errors.taken("servicePrincipalNames")
        principals.set_service_principal_names(transaction.session, row.id, [str(row.app_id), *map(str, names)])
    keys = body.get("keyCredentials")
    if isinstance(keys, list):
        certificates.replace(transaction, row.id, keys)
    row.properties = {**row.properties, **{name: body[name] for name in _WRITABLE if name in body}}
    call.change(before=before, after={"accountEnabled": row.enabled, **row.properties})
    return query.reply(call, None, 204)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a service principal; the application and the role assignments stay."""
    row = named(transaction, call.params["id"])
    call.change(before={"id": row.id, "appId": row.app_id, "displayName": row.display_name})
    principals.remove(transaction.session, row.id)
    return query.reply(call, None, 204)
