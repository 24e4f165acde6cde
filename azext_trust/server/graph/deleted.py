"""Deleted objects: kept 30 days with all that belongs to them, restored or removed for good (directory: deletedItems)."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import SQLModel, col, or_, select

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import errors, query
from azext_trust.server.store import clock, consents, deleted_objects, principals
from azext_trust.server.store.deleted_objects import DeletedObject
from azext_trust.server.store.transaction import Transaction

APPLICATION = "Application"
_KINDS = {
    "user": principals.USER, "group": principals.GROUP, "application": APPLICATION,
    "serviceprincipal": principals.SERVICE_PRINCIPAL,
}  # fmt: skip
_TYPES = {principals.USER: "user", principals.GROUP: "group", APPLICATION: "application",
          principals.SERVICE_PRINCIPAL: "servicePrincipal"}  # fmt: skip
_TABLES: dict[str, type[SQLModel]] = {
    model.__tablename__: model
    for model in (
        principals.DirectoryObject, principals.Application, principals.ServicePrincipalName, principals.Membership,
        principals.Ownership, principals.DirectoryRoleMember, principals.Credential, consents.PermissionGrant,
        consents.RoleGrant,
    )
}  # fmt: skip


def _rows(transaction: Transaction, object_id: str) -> list[SQLModel]:
    """Return all rows that name an object: itself, what it has, where it is."""
    session = transaction.session
    tables = (
        (principals.ServicePrincipalName, (principals.ServicePrincipalName.principal_id,)),
        (principals.Membership, (principals.Membership.group_id, principals.Membership.member_id)),
        (principals.Ownership, (principals.Ownership.object_id, principals.Ownership.owner_id)),
        (principals.DirectoryRoleMember, (principals.DirectoryRoleMember.principal_id,)),
        (principals.Credential, (principals.Credential.owner_id,)),
        (consents.PermissionGrant, (consents.PermissionGrant.client_id, consents.PermissionGrant.resource_id,
                                    consents.PermissionGrant.principal_id)),
        (consents.RoleGrant, (consents.RoleGrant.principal_id, consents.RoleGrant.resource_id)),
    )  # fmt: skip
    found: list[SQLModel] = []
    for model, columns in tables:
        query = select(model).where(or_(*(col(column) == object_id for column in columns)))
        found += session.exec(query)
    return found


def _keep(transaction: Transaction, row: principals.DirectoryObject | principals.Application, kind: str) -> None:
    rows = [row, *_rows(transaction, row.id)]
    content: dict[str, list[dict[str, object]]] = {}
    for one in rows:
        content.setdefault(str(one.__tablename__), []).append(one.model_dump())
    transaction.session.add(
        DeletedObject(
            id=row.id, kind=kind, display_name=row.display_name, deleted=transaction.now_text(), content=content
        )
    )


def keep(transaction: Transaction, row: principals.DirectoryObject) -> None:
    """Delete a user, group or service principal so that it can come back."""
    _keep(transaction, row, row.kind)
    principals.remove(transaction.session, row.id)


def keep_application(transaction: Transaction, row: principals.Application) -> None:
    """Delete an application so that it can come back."""
    _keep(transaction, row, APPLICATION)
    principals.remove(transaction.session, row.id)
    transaction.session.delete(row)
    transaction.session.flush()


def _since(transaction: Transaction) -> str:
    return clock.to_text(transaction.now() - timedelta(days=deleted_objects.DAYS))


def _body(row: DeletedObject) -> query.Body:
    own = row.content["application" if row.kind == APPLICATION else "directory_object"][0]
    body: query.Body = {
        "@odata.type": f"#microsoft.graph.{_TYPES[row.kind]}", "id": row.id, "deletedDateTime": row.deleted,
        "displayName": row.display_name,
    }  # fmt: skip
    if own.get("upn"):
        body["userPrincipalName"] = own["upn"]
    return body | ({"appId": own["app_id"]} if own.get("app_id") else {})


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the deleted objects of a kind, newest first."""
    kind = _KINDS.get(call.params["kind"].lower())
    if kind is None:
        raise errors.bad_request(f"Resource not found for the segment 'microsoft.graph.{call.params['kind']}'.")
    rows = deleted_objects.of_kind(transaction.session, kind, _since(transaction))
    return query.listing(call, f"{_TYPES[kind]}s", [_body(row) for row in rows])


def _found(transaction: Transaction, call: Call) -> DeletedObject:
    row = transaction.session.get(DeletedObject, call.params["id"].lower())
    if row is None or row.deleted < _since(transaction):
        raise errors.no_object(call.params["id"])
    return row


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one deleted object."""
    return query.entity(call, "directoryObjects", _body(_found(transaction, call)))


def restore(transaction: Transaction, call: Call) -> Reply:
    """Bring an object back with its names, credentials, members, groups and owners; the role assignments stayed.

    An application brings its service principal along, as it took it along.
    """
    row = _found(transaction, call)
    body = _body(row)
    principal = _principal(transaction, row) if row.kind == APPLICATION else None
    for one in filter(None, (row, principal)):
        _check_free(transaction, one)
        _bring_back(transaction, one)
    call.change(after={"id": row.id, "displayName": row.display_name})
    body["deletedDateTime"] = None
    return query.entity(call, "directoryObjects", body)


def _principal(transaction: Transaction, application: DeletedObject) -> DeletedObject | None:
    """Return the deleted service principal of a deleted application."""
    app_id = application.content["application"][0]["app_id"]
    for row in deleted_objects.of_kind(transaction.session, principals.SERVICE_PRINCIPAL, _since(transaction)):
        if row.content["directory_object"][0]["app_id"] == app_id:
            return row
    return None


def _bring_back(transaction: Transaction, row: DeletedObject) -> None:
    session = transaction.session
    for table, model in _TABLES.items():
        for held in row.content.get(table, ()):
            if model in (principals.DirectoryObject, principals.Application) or _holds(transaction, row.id, held):
                session.merge(model(**held))
        session.flush()
    session.delete(row)
    session.flush()


def _holds(transaction: Transaction, own: str, held: dict[str, object]) -> bool:
    """Tell whether everything else that a row names still exists."""
    others = {str(held[name]) for name in ("group_id", "member_id", "owner_id", "principal_id", "client_id",
                                           "resource_id", "object_id") if held.get(name)} - {own}  # fmt: skip
    session = transaction.session
    return all(
        principals.by_id(session, name) is not None or session.get(principals.Application, name) is not None
        for name in others
    )


def _check_free(transaction: Transaction, row: DeletedObject) -> None:
    session = transaction.session
    for held in row.content.get("directory_object", ()):
        if held.get("upn") and principals.user_by_upn(session, str(held["upn"])) is not None:
            raise errors.taken("userPrincipalName")
    for held in row.content.get("service_principal_name", ()):
        if principals.service_principal_by_name(session, str(held["name"])) is not None:
            raise errors.taken("servicePrincipalNames")
    for held in row.content.get("application", ()):
        kept = held["properties"]
        for uri in kept.get("identifierUris") or () if isinstance(kept, dict) else ():
            if principals.application_with_uri(session, str(uri)) is not None:
                raise errors.taken("identifierUris")


def remove(transaction: Transaction, call: Call) -> Reply:
    """Remove a deleted object for good."""
    row = _found(transaction, call)
    call.change(before={"id": row.id, "displayName": row.display_name})
    transaction.session.delete(row)
    return query.reply(call, None, 204)
