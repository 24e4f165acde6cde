"""People, groups, applications and what they hold, as parts of a seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlmodel import Session, col, select

from azext_trust.server.operator import first_party
from azext_trust.server.operator.dump_names import Names
from azext_trust.server.operator.seed_parts import (
    ApplicationPart,
    AppRolePart,
    CertificatePart,
    DirectoryRolePart,
    FederatedPart,
    GroupPart,
    PermissionGrantPart,
    ServicePrincipalPart,
    UserPart,
)
from azext_trust.server.store import consents, principals


def _of_kind(session: Session, kind: str) -> list[principals.DirectoryObject]:
    query = select(principals.DirectoryObject).where(principals.DirectoryObject.kind == kind)
    return list(session.exec(query.order_by(principals.DirectoryObject.display_key, principals.DirectoryObject.id)))


def _kept(held: Mapping[str, object], **defaults: object) -> dict[str, object]:
    return {name: value for name, value in sorted(held.items()) if defaults.get(name) != value and value is not None}


def users(session: Session) -> list[UserPart]:
    """Return the users, without their passwords."""
    return [
        UserPart(
            name=str(row.upn), id=row.id, display_name=row.display_name, enabled=row.enabled,
            classic_administrator=row.classic_administrator,
            properties=_kept(row.properties, mailNickname=str(row.upn).partition("@")[0]),
        )
        for row in _of_kind(session, principals.USER)
    ]  # fmt: skip


def groups(session: Session, names: Names) -> list[GroupPart]:
    """Return the groups with members and owners."""
    members: dict[str, list[str]] = {}
    for edge in session.exec(select(principals.Membership)):
        members.setdefault(edge.group_id, []).append(names[edge.member_id])
    owners = _owners(session, names)
    return [
        GroupPart(
            name=row.display_name, id=row.id, members=sorted(members.get(row.id, [])), owners=owners.get(row.id, []),
            properties=_kept(row.properties, mailNickname=row.display_name),
        )
        for row in _of_kind(session, principals.GROUP)
    ]  # fmt: skip


def _owners(session: Session, names: Names) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in session.exec(select(principals.Ownership)):
        found.setdefault(row.object_id, []).append(names[row.owner_id])
    return {key: sorted(value) for key, value in found.items()}


def applications(session: Session, names: Names) -> list[ApplicationPart]:
    """Return the applications with their service principals; Microsoft's and managed identities' are left out."""
    principal_of = {
        str(row.app_id): row for row in _of_kind(session, principals.SERVICE_PRINCIPAL)
        if not first_party.is_one(row) and row.properties.get("servicePrincipalType") != "ManagedIdentity"
    }  # fmt: skip
    registered = {row.app_id: row for row in session.exec(select(principals.Application))}
    held = _credentials(session)
    uses = _owners(session, names)
    return [
        _application(session, registered.get(app_id), principal_of.get(app_id), held, uses)
        for app_id in sorted(registered.keys() | principal_of.keys())
    ]


def _credentials(session: Session) -> dict[str, list[principals.Credential]]:
    found: dict[str, list[principals.Credential]] = {}
    query = select(principals.Credential).where(col(principals.Credential.kind).in_(("certificate", "federated")))
    for row in session.exec(query.order_by(principals.Credential.id)):
        found.setdefault(row.owner_id, []).append(row)
    return found


def _application(
    session: Session, registered: principals.Application | None, principal: principals.DirectoryObject | None,
    held: Mapping[str, list[principals.Credential]], owners: Mapping[str, list[str]],
) -> ApplicationPart:  # fmt: skip
    row = registered or principal
    assert row is not None
    part = ApplicationPart(name=row.display_name, app_id=row.app_id)
    if registered is not None:
        uris = registered.properties.get("identifierUris")
        part.id, part.identifier_uris = registered.id, [*map(str, uris)] if isinstance(uris, list) else []
        part.owners, part.properties = owners.get(registered.id, []), _kept(registered.properties, identifierUris=uris)
        part.certificates = certificates(held.get(registered.id, ()))
        part.federated_credentials = federated(held.get(registered.id, ()))
    if principal is not None:
        part.service_principal = _principal(session, part, principal, held, owners)
    if registered is None or principal is None:
        part.only = "application" if principal is None else "servicePrincipal"
    return part


def _principal(
    session: Session, part: ApplicationPart, row: principals.DirectoryObject,
    held: Mapping[str, list[principals.Credential]], owners: Mapping[str, list[str]],
) -> ServicePrincipalPart:  # fmt: skip
    names = [name for name in principals.service_principal_names(session, row.id) if name != row.app_id]
    return ServicePrincipalPart(
        id=row.id, enabled=row.enabled, owners=owners.get(row.id, []), properties=_kept(row.properties),
        names=None if sorted(names) == sorted(part.identifier_uris) else sorted(names),
        certificates=certificates(held.get(row.id, ())),
    )  # fmt: skip


def certificates(rows: Iterable[principals.Credential]) -> list[CertificatePart]:
    """Return the certificates among credentials: they hold no secret."""
    return [
        CertificatePart(certificate=str(row.properties["der"]), id=row.id, name=row.display_name)
        for row in rows if row.kind == "certificate"
    ]  # fmt: skip


def federated(rows: Iterable[principals.Credential]) -> list[FederatedPart]:
    """Return the federated ones among credentials."""
    found = [
        FederatedPart.model_validate({"name": row.display_name, **_kept(row.properties)})
        for row in rows if row.kind == "federated"
    ]  # fmt: skip
    return sorted(found, key=lambda part: part.name)


def directory_roles(session: Session, names: Names) -> list[DirectoryRolePart]:
    """Return the holders of directory roles."""
    found: dict[str, list[str]] = {}
    for row in session.exec(select(principals.DirectoryRoleMember)):
        found.setdefault(row.role, []).append(names[row.principal_id])
    return [DirectoryRolePart(role=role, members=sorted(members)) for role, members in sorted(found.items())]


def permission_grants(session: Session, names: Names) -> list[PermissionGrantPart]:
    """Return what clients were granted."""
    found = [
        PermissionGrantPart(
            client=names[row.client_id], resource=names[row.resource_id], scope=row.scope,
            user=names[row.principal_id] if row.principal_id else None,
        )
        for row in consents.permission_grants(session)
    ]  # fmt: skip
    return sorted(found, key=lambda part: (part.client, part.resource, part.user or ""))


def app_roles(session: Session, names: Names) -> list[AppRolePart]:
    """Return who holds application roles."""
    found = [
        AppRolePart(principal=names[row.principal_id], resource=names[row.resource_id], role=row.app_role_id)
        for row in session.exec(select(consents.RoleGrant))
    ]
    return sorted(found, key=lambda part: (part.principal, part.resource, part.role))
