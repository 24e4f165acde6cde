"""App registrations."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import bodies, certificates, deleted, errors, expand, listing, query
from azext_trust.server.store import facts, principals
from azext_trust.server.store.directory_lists import Row
from azext_trust.server.store.transaction import Transaction

_WRITABLE = (
    "description", "groupMembershipClaims", "identifierUris", "isDeviceOnlyAuthSupported", "isFallbackPublicClient",
    "notes", "signInAudience", "tags", "optionalClaims", "api", "appRoles", "info", "publicClient",
    "requiredResourceAccess", "web", "spa", "serviceManagementReference", "parentalControlSettings", "addIns",
    "defaultRedirectUri", "samlMetadataUrl", "tokenEncryptionKeyId",
)  # fmt: skip
AUDIENCES = frozenset({"AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount",
                       "PersonalMicrosoftAccount"})  # fmt: skip


def named(transaction: Transaction, name: str) -> principals.Application:
    """Return the application with this object id, or with ``appId=..`` in front the one with this appId.

    Raises:
        ServiceError: Request_ResourceNotFound.
    """
    if name.lower().startswith("appid="):
        found = principals.application_by_app_id(transaction.session, name[6:])
    else:
        found = transaction.session.get(principals.Application, name.lower())
    if found is None:
        raise errors.no_object(name)
    return found


def bodies_of(transaction: Transaction, rows: Sequence[Row]) -> list[query.Body]:
    """Return applications as Graph shows them; their credentials are read together."""
    found = [row for row in rows if isinstance(row, principals.Application)]
    held: dict[str, list[principals.Credential]] = {}
    for at in range(0, len(found), 500):
        for one in principals.credentials(transaction.session, [row.id for row in found[at : at + 500]]):
            held.setdefault(one.owner_id, []).append(one)
    domain = facts.get(transaction.session, facts.TENANT_DOMAIN)
    return [bodies.application(row, held.get(row.id, []), domain) for row in found]


def body_of(transaction: Transaction, row: principals.Application) -> query.Body:
    """Return an application as Graph shows it."""
    return bodies_of(transaction, [row])[0]


APPLICATIONS = listing.Collection("applications", principals.Application, (), bodies_of)


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return applications."""
    return listing.reply(transaction, call, APPLICATIONS)


def counted(transaction: Transaction, call: Call) -> Reply:
    """Return how many applications there are."""
    return listing.number(transaction, call, APPLICATIONS)


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one application."""
    row = named(transaction, call.params["id"])
    return query.entity(call, "applications", expand.add(transaction, call, row.id, body_of(transaction, row)))


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
        _check_uris(transaction, row, uris)
    audience = body.get("signInAudience")
    if audience is not None and audience not in AUDIENCES:
        raise errors.bad_request("Invalid value specified for property 'signInAudience' of resource 'Application'.")
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


def _check_uris(transaction: Transaction, row: principals.Application, uris: list[object]) -> None:
    for uri in uris:
        other = principals.service_principal_by_name(transaction.session, str(uri))
        held = principals.application_with_uri(transaction.session, str(uri))
        if (other is not None and other.app_id != row.app_id) or (held is not None and held.id != row.id):
            raise errors.taken("identifierUris")


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
    """Delete an application with its service principal; both can be restored for 30 days."""
    row = named(transaction, call.params["id"])
    call.change(before={"id": row.id, "appId": row.app_id, "displayName": row.display_name})
    principal = principals.service_principal_by_app_id(transaction.session, row.app_id)
    if principal is not None:
        deleted.keep(transaction, principal)
    deleted.keep_application(transaction, row)
    return query.reply(call, None, 204)
