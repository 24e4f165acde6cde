"""What tokens can be had for, and what scopes say about it (Entra: scopes and permissions)."""

from __future__ import annotations

from dataclasses import dataclass

from azext_trust.server.gate.call import Settings
from azext_trust.server.store import principals
from azext_trust.server.store.transaction import Transaction

ARM = "https://management.core.windows.net/"
DEFAULT = ".default"
OPENID = frozenset({"openid", "profile", "offline_access", "email"})
"""Scopes that name no resource (OpenID Connect Core section 5.4, 11)."""


@dataclass(frozen=True)
class Resource:
    """A service that tokens are for.

    Attributes:
        audience: what stands in the token's `aud`.
        permissions: delegated permissions, the token's `scp` for users.
        version: of its access tokens: 1 or 2.
        groups: whether its tokens name the user's groups.
        roles: whether its tokens name the user's directory roles.
    """

    audience: str
    permissions: str = "user_impersonation"
    version: int = 1
    groups: bool = False
    roles: bool = False


_GRAPH = Resource(
    "", "AuditLog.Read.All Directory.AccessAsUser.All email Group.ReadWrite.All openid profile User.ReadWrite.All",
    roles=True,
)  # fmt: skip
_ARM = Resource("", groups=True, roles=True)
_FIRST_PARTY = {
    "https://management.core.windows.net": _ARM,
    "https://management.azure.com": _ARM,
    "797f4846-ba00-4fd7-ba43-dac1f8f63013": _ARM,
    "https://graph.microsoft.com": _GRAPH,
    "00000003-0000-0000-c000-000000000000": _GRAPH,
    "https://containerregistry.azure.net": Resource("", groups=True),
    # What managed identities show where a federated credential trusts them: always version 2, named by its id.
    "api://azureadtokenexchange": Resource("fb60f99c-7a34-4190-8149-302f77469936", version=2),
}
"""Microsoft's own services, by what clients call them in lower case with no slash at the end."""


class ScopeError(Exception):
    """Scopes that cannot be.

    Args:
        problem: ``malformed``, ``several`` or ``mixed``.
        scope: the scopes, or the one that is wrong.
    """

    def __init__(self, problem: str, scope: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.scope = scope


@dataclass(frozen=True)
class Scopes:
    """Scopes, read.

    Attributes:
        resource: the resource as asked, one slash of two kept; empty when none is named.
        permissions: what is asked of it: ``.default`` or permission names.
        openid: those that name no resource.
    """

    resource: str
    permissions: tuple[str, ...] = ()
    openid: frozenset[str] = frozenset()


def read(scope: str) -> Scopes:
    """Read a ``scope`` parameter (RFC 6749 section 3.3).

    Raises:
        ScopeError: it names several resources, or ``.default`` together with single permissions.
    """
    names, openid = [], set()
    for name in scope.split():
        if name.lower() in OPENID:
            openid.add(name.lower())
        else:
            names.append(name.rpartition("/")[::2] if "/" in name else ("", name))
    resources = {resource for resource, _ in names}
    permissions = tuple(dict.fromkeys(permission for _, permission in names))
    if len({resource.lower().rstrip("/") for resource in resources}) > 1:
        raise ScopeError("several", scope)
    if DEFAULT in permissions and len(permissions) > 1:
        raise ScopeError("mixed", scope)
    if "" in permissions:
        raise ScopeError("malformed", scope)
    return Scopes(resources.pop() if resources else "", permissions, frozenset(openid))


def find(transaction: Transaction, settings: Settings, name: str) -> Resource | None:
    """Return the resource of a name: our services, Microsoft's, or an application of the tenant; else None.

    Args:
        transaction: reads the directory.
        settings: names the cloud's origin, which is Graph; so is no name.
        name: as `read` gives it.
    """
    wanted = name.rstrip("/").lower()
    if wanted in ("", settings.origin.lower()):
        return _named(_GRAPH, name or f"{settings.origin}/")
    if wanted in _FIRST_PARTY:
        return _named(_FIRST_PARTY[wanted], name)
    held = principals.service_principal_by_name(transaction.session, name)
    held = held or principals.service_principal_by_name(transaction.session, wanted)
    return _own(transaction, held, name) if held is not None and held.enabled else None


def _named(resource: Resource, name: str) -> Resource:
    if resource.audience:
        return resource
    return Resource(name, resource.permissions, resource.version, resource.groups, resource.roles)


def _own(transaction: Transaction, held: principals.DirectoryObject, name: str) -> Resource:
    app_id = held.app_id or held.id
    application = principals.application_by_app_id(transaction.session, app_id)
    properties = application.properties if application else {}
    api = properties.get("api")
    version = api.get("requestedAccessTokenVersion") if isinstance(api, dict) else None
    groups = properties.get("groupMembershipClaims") in ("SecurityGroup", "All")
    # Version 2 tokens name the application by its id, whatever it was asked by.
    return Resource(app_id if version == 2 else name, version=2 if version == 2 else 1, groups=groups)
