"""The directory: users, groups, service principals, applications, memberships and credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import JSON, Column, Index, String, cast, func
from sqlmodel import Field, Session, SQLModel, col, delete, or_, select

USER, GROUP, SERVICE_PRINCIPAL = "User", "Group", "ServicePrincipal"


class DirectoryObject(SQLModel, table=True):
    """A user, group or service principal; `properties` holds what only Graph shows."""

    __tablename__ = "directory_object"
    # Lists go by kind and name; a page of a large directory is read without sorting it.
    __table_args__ = (Index("ix_directory_object_listed", "kind", "display_key", "id"),)

    id: str = Field(primary_key=True)
    kind: str = Field(index=True)
    display_name: str
    display_key: str = Field(index=True)
    upn: str | None = None
    upn_key: str | None = Field(default=None, unique=True)
    app_id: str | None = Field(default=None, unique=True)
    enabled: bool = True
    classic_administrator: bool = False
    created: str
    properties: dict[str, object] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Application(SQLModel, table=True):
    """An app registration; its service principal is a `DirectoryObject` with the same `app_id`."""

    __tablename__ = "application"

    id: str = Field(primary_key=True)
    app_id: str = Field(unique=True)
    display_name: str
    display_key: str = Field(index=True)
    created: str
    properties: dict[str, object] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class ServicePrincipalName(SQLModel, table=True):
    """One of the names a service principal is found by: its appId and its identifier URIs."""

    __tablename__ = "service_principal_name"

    name_key: str = Field(primary_key=True)
    name: str
    principal_id: str = Field(foreign_key="directory_object.id", index=True, ondelete="CASCADE")


class Membership(SQLModel, table=True):
    """A direct member of a group."""

    __tablename__ = "membership"

    group_id: str = Field(primary_key=True, foreign_key="directory_object.id", ondelete="CASCADE")
    member_id: str = Field(primary_key=True, foreign_key="directory_object.id", index=True, ondelete="CASCADE")


class Ownership(SQLModel, table=True):
    """An owner of a group, application or service principal."""

    __tablename__ = "ownership"

    object_id: str = Field(primary_key=True)
    owner_id: str = Field(primary_key=True, foreign_key="directory_object.id", index=True, ondelete="CASCADE")


class DirectoryRoleMember(SQLModel, table=True):
    """A holder of an Entra directory role, by the role's display name (``Global Administrator``)."""

    __tablename__ = "directory_role_member"

    role: str = Field(primary_key=True)
    principal_id: str = Field(primary_key=True, foreign_key="directory_object.id", index=True, ondelete="CASCADE")


class Credential(SQLModel, table=True):
    """A password, client secret, certificate or federated credential.

    `owner_id` is the user's object id (password), or the application's or service principal's object id. `kind` is
    ``password``, ``secret``, ``certificate`` or ``federated``. `hashed` is an Argon2id hash; a certificate's DER
    (base64) and SHA-1 thumbprint, and a federated credential's issuer, subject and audiences, stand in `properties`.
    """

    __tablename__ = "credential"

    id: str = Field(primary_key=True)
    owner_id: str = Field(index=True)
    kind: str
    display_name: str | None = None
    hint: str = ""
    hashed: str = ""
    start: str = ""
    end: str = ""
    properties: dict[str, object] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def by_id(session: Session, object_id: str) -> DirectoryObject | None:
    """Return the directory object with this object id."""
    return session.get(DirectoryObject, object_id.lower())


def by_ids(session: Session, object_ids: Iterable[str]) -> dict[str, DirectoryObject]:
    """Return those of the ids that exist, by id."""
    wanted = {i.lower() for i in object_ids}
    found: dict[str, DirectoryObject] = {}
    ordered = sorted(wanted)
    for at in range(0, len(ordered), 500):
        query = select(DirectoryObject).where(col(DirectoryObject.id).in_(ordered[at : at + 500]))
        found |= {row.id: row for row in session.exec(query)}
    return found


def user_by_upn(session: Session, upn: str) -> DirectoryObject | None:
    """Return the user with this user principal name; case is ignored."""
    return session.exec(select(DirectoryObject).where(DirectoryObject.upn_key == upn.lower())).first()


def group_by_name(session: Session, name: str) -> DirectoryObject | None:
    """Return a group with this display name; case is ignored."""
    return find_by_display_name(session, GROUP, name)


def find_by_display_name(session: Session, kind: str, name: str) -> DirectoryObject | None:
    """Return an object of a kind with this display name; case is ignored."""
    query = select(DirectoryObject).where(DirectoryObject.kind == kind, DirectoryObject.display_key == name.lower())
    return session.exec(query).first()


def service_principal_by_name(session: Session, name: str) -> DirectoryObject | None:
    """Return the service principal one of whose servicePrincipalNames this is; case is ignored."""
    found = session.get(ServicePrincipalName, name.lower())
    return session.get(DirectoryObject, found.principal_id) if found else None


def service_principal_names(session: Session, principal_id: str) -> list[str]:
    """Return the names of a service principal, the appId first."""
    rows = session.exec(select(ServicePrincipalName).where(ServicePrincipalName.principal_id == principal_id)).all()
    return [row.name for row in sorted(rows, key=lambda row: (":" in row.name, row.name))]


def set_service_principal_names(session: Session, principal_id: str, names: Iterable[str]) -> None:
    """Replace the names of a service principal.

    Raises:
        sqlalchemy.exc.IntegrityError: another service principal has one of them.
    """
    session.exec(delete(ServicePrincipalName).where(col(ServicePrincipalName.principal_id) == principal_id))
    for name in dict.fromkeys(names):
        session.add(ServicePrincipalName(name_key=name.lower(), name=name, principal_id=principal_id))
    session.flush()


def application_by_app_id(session: Session, app_id: str) -> Application | None:
    """Return the application with this appId (client id)."""
    return session.exec(select(Application).where(Application.app_id == app_id.lower())).first()


def service_principal_by_app_id(session: Session, app_id: str) -> DirectoryObject | None:
    """Return the service principal with this appId (client id)."""
    return session.exec(select(DirectoryObject).where(DirectoryObject.app_id == app_id.lower())).first()


def managed_identities(session: Session) -> list[DirectoryObject]:
    """Return the service principals of managed identities, by name; `alternativeNames` holds the resource id."""
    kind = col(DirectoryObject.properties)["servicePrincipalType"].as_string()
    query = select(DirectoryObject).where(DirectoryObject.kind == SERVICE_PRINCIPAL, kind == "ManagedIdentity")
    return list(session.exec(query.order_by(col(DirectoryObject.display_key), col(DirectoryObject.id))))


def group_chains(session: Session, member_id: str) -> Mapping[str, tuple[str, ...]]:
    """Return every group the principal is in, transitively, with the way there.

    Returns:
        group id -> the chain of group ids from the direct group to that one. Cycles are walked once.
    """
    chains: dict[str, tuple[str, ...]] = {}
    edge: dict[str, tuple[str, ...]] = {member_id: ()}
    while edge:
        query = select(Membership.group_id, Membership.member_id).where(col(Membership.member_id).in_(list(edge)))
        reached: dict[str, tuple[str, ...]] = {}
        for group_id, member in session.exec(query):
            if group_id not in chains and group_id not in reached:
                reached[group_id] = (*edge[member], group_id)
        chains |= reached
        edge = reached
    return chains


def directory_roles(session: Session, principal_id: str) -> frozenset[str]:
    """Return the names of the Entra directory roles a principal holds."""
    query = select(DirectoryRoleMember.role).where(DirectoryRoleMember.principal_id == principal_id)
    return frozenset(session.exec(query))


def classic_administrators(session: Session) -> list[DirectoryObject]:
    """Return the users who hold the classic administrator flag."""
    query = select(DirectoryObject).where(col(DirectoryObject.classic_administrator).is_(True))
    return list(session.exec(query.order_by(col(DirectoryObject.upn_key))))


def credentials(session: Session, owner_ids: Iterable[str], kind: str | None = None) -> list[Credential]:
    """Return the credentials of an application, service principal or user."""
    query = select(Credential).where(col(Credential.owner_id).in_(list(owner_ids)))
    if kind:
        query = query.where(Credential.kind == kind)
    return list(session.exec(query.order_by(col(Credential.start), col(Credential.id))))


def remove(session: Session, object_id: str) -> None:
    """Delete a directory object with its memberships, names and credentials; role assignments stay, orphaned."""
    session.exec(delete(Credential).where(col(Credential.owner_id) == object_id))
    session.exec(
        delete(Ownership).where(or_(col(Ownership.object_id) == object_id, col(Ownership.owner_id) == object_id))
    )
    found = session.get(DirectoryObject, object_id)
    if found:
        session.delete(found)
    session.flush()


def of_kind(session: Session, kind: str, name: str | None = None) -> list[DirectoryObject]:
    """Return the objects of a kind, all or those with a display name, by name."""
    query = select(DirectoryObject).where(DirectoryObject.kind == kind)
    if name is not None:
        query = query.where(DirectoryObject.display_key == name.lower())
    return list(session.exec(query.order_by(col(DirectoryObject.display_key), col(DirectoryObject.id))))


def applications(session: Session) -> list[Application]:
    """Return all applications by name."""
    return list(session.exec(select(Application).order_by(col(Application.display_key), col(Application.id))))


def application_with_uri(session: Session, uri: str) -> Application | None:
    """Return the application that has this identifier URI; case is ignored."""
    # Few applications have the text among their members at all; of these the list itself decides.
    query = select(Application)
    if uri.isascii() and '"' not in uri and "\\" not in uri:
        held = func.lower(cast(Application.properties, String))
        query = query.where(held.contains(f'"{uri.lower()}"', autoescape=True))
    for row in session.exec(query.order_by(col(Application.id))):
        uris = row.properties.get("identifierUris")
        if isinstance(uris, list) and uri.lower() in (str(text).lower() for text in uris):
            return row
    return None


def owners(session: Session, object_id: str) -> list[str]:
    """Return the object ids of an object's owners."""
    return list(session.exec(select(Ownership.owner_id).where(Ownership.object_id == object_id)))


def owned(session: Session, owner_id: str) -> list[str]:
    """Return the ids of what somebody owns."""
    return list(session.exec(select(Ownership.object_id).where(Ownership.owner_id == owner_id)))


def role_holders(session: Session, role: str) -> list[str]:
    """Return the object ids of a directory role's holders."""
    return list(session.exec(select(DirectoryRoleMember.principal_id).where(DirectoryRoleMember.role == role)))


def names_of(session: Session, principal_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of service principals by object id, the appId first."""
    rows = session.exec(
        select(ServicePrincipalName).where(col(ServicePrincipalName.principal_id).in_(list(principal_ids)))
    ).all()
    found: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: (":" in row.name, row.name)):
        found.setdefault(row.principal_id, []).append(row.name)
    return found


def applications_by_app_ids(session: Session, app_ids: Iterable[str]) -> dict[str, Application]:
    """Return applications by appId."""
    query = select(Application).where(col(Application.app_id).in_(list(app_ids)))
    return {row.app_id: row for row in session.exec(query)}
