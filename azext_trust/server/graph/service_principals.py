"""Service principals."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import bodies, certificates, deleted, errors, expand, listing, query
from azext_trust.server.store import directory_lists, principals
from azext_trust.server.store.directory_lists import Row
from azext_trust.server.store.transaction import Transaction

_WRITABLE = ("description", "notes", "tags", "homepage", "loginUrl", "alternativeNames", "appRoleAssignmentRequired")


def named(transaction: Transaction, name: str) -> principals.DirectoryObject:
    """Return the service principal with this object id, or with ``appId=..`` in front the one with this appId.

    Raises:
        ServiceError: Request_ResourceNotFound.
    """
    if name.lower().startswith("appid="):
        found = principals.service_principal_by_app_id(transaction.session, name[6:])
    else:
        found = principals.by_id(transaction.session, name)
    if found is None or found.kind != principals.SERVICE_PRINCIPAL:
        raise errors.no_object(name)
    return found


def bodies_of(transaction: Transaction, rows: Sequence[Row]) -> list[query.Body]:
    """Return service principals as Graph shows them; names and credentials are read together."""
    found = [row for row in rows if isinstance(row, principals.DirectoryObject)]
    session, tenant = transaction.session, transaction.tenant_id()
    shown: list[query.Body] = []
    for at in range(0, len(found), 500):
        part = found[at : at + 500]
        names = principals.names_of(session, [row.id for row in part])
        held: dict[str, list[principals.Credential]] = {}
        for one in principals.credentials(session, [row.id for row in part]):
            held.setdefault(one.owner_id, []).append(one)
        known = principals.applications_by_app_ids(session, [str(row.app_id) for row in part])
        shown += [
            bodies.service_principal(
                row, names.get(row.id, []), tenant, held.get(row.id, []), known.get(str(row.app_id))
            )
            for row in part
        ]
    return shown


def body_of(transaction: Transaction, row: principals.DirectoryObject) -> query.Body:
    """Return a service principal as Graph shows it."""
    return bodies_of(transaction, [row])[0]


SERVICE_PRINCIPALS = listing.Collection(
    "servicePrincipals", principals.DirectoryObject, (directory_lists.of_kind(principals.SERVICE_PRINCIPAL),), bodies_of
)


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return service principals."""
    return listing.reply(transaction, call, SERVICE_PRINCIPALS)


def counted(transaction: Transaction, call: Call) -> Reply:
    """Return how many service principals there are."""
    return listing.number(transaction, call, SERVICE_PRINCIPALS)


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one service principal."""
    row = named(transaction, call.params["id"])
    return query.entity(call, "servicePrincipals", expand.add(transaction, call, row.id, body_of(transaction, row)))


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
    if call.caller.kind == principals.USER:
        transaction.session.add(principals.Ownership(object_id=row.id, owner_id=call.caller.id))
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
    """Delete a service principal; the application and the role assignments stay.

    Raises:
        ServiceError: a managed identity's goes with its resource only.
    """
    row = named(transaction, call.params["id"])
    if row.properties.get("servicePrincipalType") == "ManagedIdentity":
        raise errors.bad_request("Managed Service Identity based service principals cannot be deleted.")
    call.change(before={"id": row.id, "appId": row.app_id, "displayName": row.display_name})
    deleted.keep(transaction, row)
    return query.reply(call, None, 204)
