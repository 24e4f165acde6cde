"""What somebody may do without a directory role: on oneself, on what one owns, and what the tenant leaves to users.

Entra's default user permissions, and application permissions of Microsoft Graph. A route names one of these as its
`otherwise`; and `guard` keeps administrators out of reach of lesser ones.
"""

from __future__ import annotations

from azext_trust.rbac import directory
from azext_trust.server.gate.call import Call
from azext_trust.server.graph import errors
from azext_trust.server.store import consents, options, principals
from azext_trust.server.store.transaction import Transaction

_OWN_PROFILE = frozenset({"businessphones", "mobilephone", "preferredlanguage", "othermails"})
"""What users may change of themselves."""
_GLOBAL, _PRIVILEGED = "Global Administrator", "Privileged Role Administrator"
_NOT_ADMINISTRATORS = frozenset({"Directory Readers", "Guest Inviter"})
"""Roles that make nobody an administrator."""
_EVERYTHING = frozenset({"users", "groups", "applications", "serviceprincipals", "directoryobjects", "directoryroles",
                         "organization", "domains", "directory", "oauth2permissiongrants"})  # fmt: skip
_APPLICATIONS = frozenset({"applications", "serviceprincipals"})
_MEMBERS = frozenset({"users", "directoryobjects"})
APPLICATION_PERMISSIONS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "7ab1d382-f21e-4acd-a863-ba3e13f7da61": (_EVERYTHING, frozenset()),
    "19dbc75e-c2e2-444c-a770-ec69d8559fc7": (_EVERYTHING, frozenset({"users", "groups"}) | _APPLICATIONS),
    "df021288-bdef-4463-88db-98f22de89214": (_MEMBERS, frozenset()),
    "741f803b-c850-494e-b5df-cde7c675a1ca": (_MEMBERS, frozenset({"users"})),
    "5b567255-7703-4780-807c-7be8301ae99b": (frozenset({"groups", "directoryobjects"}), frozenset()),
    "62a82d76-70ea-41e2-9197-370581804d09": (frozenset({"groups", "directoryobjects"}), frozenset({"groups"})),
    "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30": (_APPLICATIONS, frozenset()),
    "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9": (_APPLICATIONS, _APPLICATIONS),
    "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8": (frozenset({"directoryroles"}), frozenset({"directoryroles"})),
}
"""App roles of Microsoft Graph by id, with what they let an application read and write: Directory.Read.All,
Directory.ReadWrite.All, User.Read.All, User.ReadWrite.All, Group.Read.All, Group.ReadWrite.All, Application.Read.All,
Application.ReadWrite.All, RoleManagement.ReadWrite.Directory (Microsoft Graph permissions reference)."""


def granted(transaction: Transaction, call: Call) -> bool:
    """Tell whether an application permission of the caller covers a request."""
    if call.caller.kind != principals.SERVICE_PRINCIPAL:
        return False
    noun = call.path.strip("/").split("/")[1].lower()
    reading = call.method == "GET" or call.path.rpartition("/")[2].lower() in _QUESTIONS
    for held in consents.roles_held(transaction.session, call.caller.id):
        reads, writes = APPLICATION_PERMISSIONS.get(held.app_role_id, (frozenset(), frozenset()))
        if noun in (reads if reading else writes):
            return True
    return False


_QUESTIONS = frozenset({"getbyids", "checkmembergroups", "checkmemberobjects", "getmembergroups", "getmemberobjects"})
"""POSTs that only ask."""


def owns(transaction: Transaction, call: Call) -> bool:
    """Tell whether the caller owns what the path names; an application permission does as well."""
    name = call.params["id"].lower()
    if name.startswith("appid="):
        name = _by_app_id(transaction, call, name.removeprefix("appid="))
    held = transaction.session.get(principals.Ownership, (name, call.caller.id))
    return held is not None or granted(transaction, call)


def _by_app_id(transaction: Transaction, call: Call, app_id: str) -> str:
    if "/applications" in call.path.lower():
        found = principals.application_by_app_id(transaction.session, app_id)
        return found.id if found else ""
    principal = principals.service_principal_by_app_id(transaction.session, app_id)
    return principal.id if principal else ""


def own_profile(transaction: Transaction, call: Call) -> bool:
    """Tell whether the caller changes only what users may change of themselves."""
    if granted(transaction, call):
        return True
    name = call.params["id"].lower()
    return name in (call.caller.id, call.caller.name.lower()) and {k.lower() for k in call.json()} <= _OWN_PROFILE


def may_register(transaction: Transaction, call: Call) -> bool:
    """Tell whether any user may register an application here (Entra's default)."""
    if call.caller.kind == principals.USER:
        return options.get(transaction.session).users_register_applications
    return granted(transaction, call)


def may_add_principal(transaction: Transaction, call: Call) -> bool:
    """Tell whether the caller may make the service principal of an application: one it owns."""
    application = principals.application_by_app_id(transaction.session, str(call.json().get("appId") or ""))
    if application is not None and call.caller.kind == principals.USER:
        owned = transaction.session.get(principals.Ownership, (application.id, call.caller.id)) is not None
        return owned and options.get(transaction.session).users_register_applications
    return granted(transaction, call)


def may_create_group(transaction: Transaction, call: Call) -> bool:
    """Tell whether any user may create a security group here (Entra's default), no role-assignable one."""
    if call.caller.kind == principals.USER:
        return options.get(transaction.session).users_create_groups and not call.json().get("isAssignableToRole")
    return granted(transaction, call)


def guard(transaction: Transaction, call: Call, row: principals.DirectoryObject) -> None:
    """Keep an administrator, or a group that may hold roles, from being changed by a lesser administrator.

    Raises:
        ServiceError: Authorization_RequestDenied. Global Administrators may; so may Privileged Role Administrators.
    """
    session = transaction.session
    held = principals.directory_roles(session, call.caller.id)
    if row.id == call.caller.id or held & {_GLOBAL, _PRIVILEGED}:
        return
    privileged = (
        bool(row.properties.get("isAssignableToRole"))
        if row.kind == principals.GROUP
        else bool(
            principals.directory_roles(session, row.id) & (directory.directory_roles().keys() - _NOT_ADMINISTRATORS)
        )
    )
    if privileged:
        raise errors.privileged()
