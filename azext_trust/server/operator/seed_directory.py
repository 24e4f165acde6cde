"""Brings a seed's people, groups, applications and directory roles into the state."""

from __future__ import annotations

import uuid

from azext_trust.server.operator.errors import SeedError
from azext_trust.server.operator.seed_context import Context
from azext_trust.server.operator.seed_parts import (
    ApplicationPart,
    AppRolePart,
    DirectoryRolePart,
    GroupPart,
    PermissionGrantPart,
    UserPart,
)
from azext_trust.server.store import consents, passwords, principals


def user(context: Context, part: UserPart) -> None:
    """Make a user, or compare one."""
    found = principals.user_by_upn(context.session, part.name)
    if found is not None:
        _same_user(context, part, found)
        return
    local, at, _ = part.name.partition("@")
    if not at:
        raise SeedError(f"The user name '{part.name}' is no user principal name (name@domain).")
    password = part.password
    if password is None:
        password = context.done.passwords[part.name] = passwords.new_secret(16)
    name = part.display_name or local
    made = principals.DirectoryObject(
        id=part.id or str(uuid.uuid4()), kind=principals.USER, created=context.now, display_name=name,
        display_key=name.lower(), upn=part.name, upn_key=part.name.lower(), enabled=part.enabled,
        classic_administrator=part.classic_administrator, properties={"mailNickname": local} | part.properties,
    )  # fmt: skip
    context.session.add(made)
    context.session.flush()
    context.session.add(context.credential(made.id, "password", password))
    context.done.created.append(f"user {part.name}")


def _same_user(context: Context, part: UserPart, found: principals.DirectoryObject) -> None:
    context.compare(f"the id of {part.name}", found.id, part.id)
    context.compare(f"the display name of {part.name}", found.display_name, part.display_name)
    context.compare(f"the enabled flag of {part.name}", found.enabled, part.enabled)
    context.compare(f"the classic administrator flag of {part.name}", found.classic_administrator,
                    part.classic_administrator)  # fmt: skip
    context.compare_members(part.name, found.properties, part.properties)
    context.same_secret(f"the password of {part.name}", found.id, "password", part.password)


def group(context: Context, part: GroupPart) -> None:
    """Make a group, or compare one."""
    found = _group(context, part)
    if found is not None:
        context.compare(f"the id of group {part.name}", found.id, part.id)
        context.compare_members(f"group {part.name}", found.properties, part.properties)
        return
    made = principals.DirectoryObject(
        id=part.id or str(uuid.uuid4()), kind=principals.GROUP, display_name=part.name, display_key=part.name.lower(),
        created=context.now, properties={"mailNickname": part.name} | part.properties,
    )  # fmt: skip
    context.session.add(made)
    context.made.add(made.id)
    context.done.created.append(f"group {part.name}")


def _group(context: Context, part: GroupPart) -> principals.DirectoryObject | None:
    if part.id:
        held = principals.by_id(context.session, part.id)
        if held is not None and held.kind == principals.GROUP and held.display_key == part.name.lower():
            return held
    found = principals.group_by_name(context.session, part.name)
    return None if found is not None and part.id and found.id in context.made else found


def members(context: Context, part: GroupPart) -> None:
    """Add those members and owners of a group that it does not have yet."""
    found = _group(context, part) or context.principal(part.name)
    for name in part.members:
        member = context.principal(name)
        if context.session.get(principals.Membership, (found.id, member.id)) is None:
            context.session.add(principals.Membership(group_id=found.id, member_id=member.id))
            context.done.created.append(f"member {name} of group {part.name}")
    context.owners(f"group {part.name}", found.id, part.owners)


def application(context: Context, part: ApplicationPart) -> None:
    """Make an application with its service principal, or compare them."""
    registered, principal = _application(context, part)
    if registered is not None or principal is not None:
        _same_application(context, part, registered, principal)
        return
    app_id, own = part.app_id or str(uuid.uuid4()), part.service_principal
    if part.only != "servicePrincipal":
        registered = _registration(context, part, app_id)
    if part.only != "application":
        principal = principals.DirectoryObject(
            id=own.id or str(uuid.uuid4()), kind=principals.SERVICE_PRINCIPAL, display_name=part.name,
            display_key=part.name.lower(), app_id=app_id, enabled=own.enabled, created=context.now,
            properties=dict(own.properties),
        )  # fmt: skip
        context.session.add(principal)
        context.session.flush()
        names = part.identifier_uris if own.names is None else own.names
        principals.set_service_principal_names(context.session, principal.id, [app_id, *names])
    context.made.update(row.id for row in (registered, principal) if row is not None)
    context.done.created.append(f"application {part.name}")
    _credentials(context, part, registered, principal)


def _registration(context: Context, part: ApplicationPart, app_id: str) -> principals.Application:
    made = principals.Application(
        id=part.id or str(uuid.uuid4()), app_id=app_id, display_name=part.name, display_key=part.name.lower(),
        created=context.now, properties={"identifierUris": part.identifier_uris} | part.properties,
    )  # fmt: skip
    context.session.add(made)
    context.session.flush()
    if part.secret:
        context.session.add(context.credential(made.id, "secret", part.secret))
    return made


def _credentials(
    context: Context, part: ApplicationPart, registered: principals.Application | None,
    principal: principals.DirectoryObject | None,
) -> None:  # fmt: skip
    if registered is not None:
        context.certificates(part.name, registered.id, part.certificates)
        context.federated(part.name, registered.id, part.federated_credentials)
    if principal is not None:
        context.certificates(part.name, principal.id, part.service_principal.certificates)


def _same_application(
    context: Context, part: ApplicationPart, registered: principals.Application | None,
    principal: principals.DirectoryObject | None,
) -> None:  # fmt: skip
    held = registered or principal
    assert held is not None
    context.compare(f"the appId of {part.name}", held.app_id, part.app_id)
    context.compare(f"the name of application {held.app_id}", held.display_name, part.name)
    if registered is not None:
        context.compare(f"the id of application {part.name}", registered.id, part.id)
        wanted = ({"identifierUris": part.identifier_uris} if part.identifier_uris else {}) | part.properties
        context.compare_members(part.name, registered.properties, wanted)
        context.same_secret(f"the secret of {part.name}", registered.id, "secret", part.secret)
    if principal is not None:
        own, what = part.service_principal, f"the service principal of {part.name}"
        context.compare(f"the id of {what}", principal.id, own.id)
        context.compare(f"the enabled flag of {what}", principal.enabled, own.enabled)
        context.compare_members(what, principal.properties, own.properties)
    _credentials(context, part, registered, principal)


def _application(
    context: Context, part: ApplicationPart
) -> tuple[principals.Application | None, principals.DirectoryObject | None]:
    session = context.session
    if part.app_id:
        found = (
            principals.application_by_app_id(session, part.app_id),
            principals.service_principal_by_app_id(session, part.app_id),
        )
        if any(found):
            return found
    principal = principals.find_by_display_name(session, principals.SERVICE_PRINCIPAL, part.name)
    if principal is None or (part.app_id and principal.id in context.made):
        return None, None
    return principals.application_by_app_id(session, principal.app_id or ""), principal


def application_owners(context: Context, part: ApplicationPart) -> None:
    """Add those owners of an application and its service principal that they do not have yet."""
    registered, principal = _application(context, part)
    if registered is not None:
        context.owners(f"application {part.name}", registered.id, part.owners)
    if principal is not None:
        what = f"the service principal of {part.name}"
        context.owners(what, principal.id, part.service_principal.owners)


def directory_role(context: Context, part: DirectoryRolePart) -> None:
    """Give a directory role to those who do not hold it yet."""
    for name in part.members:
        member = context.principal(name)
        if context.session.get(principals.DirectoryRoleMember, (part.role, member.id)) is None:
            context.session.add(principals.DirectoryRoleMember(role=part.role, principal_id=member.id))
            context.done.created.append(f"directory role {part.role} for {name}")


def permission_grant(context: Context, part: PermissionGrantPart) -> None:
    """Grant delegated permissions, or compare them."""
    client, resource = context.principal(part.client).id, context.principal(part.resource).id
    who = context.principal(part.user).id if part.user else None
    for row in consents.permission_grants(context.session):
        if (row.client_id, row.resource_id, row.principal_id) == (client, resource, who):
            context.compare(f"what {part.client} was granted at {part.resource}", row.scope, part.scope)
            return
    context.session.add(
        consents.PermissionGrant(
            id=str(uuid.uuid4()), client_id=client, resource_id=resource, principal_id=who, scope=part.scope,
            consent_type="Principal" if who else "AllPrincipals",
        )
    )  # fmt: skip
    context.done.created.append(f"permissions of {part.client} at {part.resource}")


def app_role(context: Context, part: AppRolePart) -> None:
    """Give an application role to somebody who does not hold it yet."""
    principal, resource = context.principal(part.principal).id, context.principal(part.resource).id
    for row in consents.roles_held(context.session, principal):
        if (row.resource_id, row.app_role_id) == (resource, part.role):
            return
    context.session.add(
        consents.RoleGrant(
            id=str(uuid.uuid4()), app_role_id=part.role, principal_id=principal, resource_id=resource,
            created=context.now,
        )
    )  # fmt: skip
    context.done.created.append(f"application role {part.role} for {part.principal}")
