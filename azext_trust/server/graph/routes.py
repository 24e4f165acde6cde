"""What Microsoft Graph offers here, and the directory permission each operation needs."""

from azext_trust.server.gate.route import SIGNED_IN, Route

_D = "microsoft.directory"
_V = "/v1.0"
_WRITE = "Microsoft.Graph"


def _read(path: str, operation: str, noun: str = "users", part: str = "standard", method: str = "GET") -> Route:
    return Route(method, _V + path, operation, f"{_D}/{noun}/{part}/read", scope="/")


def _write(method: str, path: str, operation: str, permission: str) -> Route:
    return Route(method, _V + path, operation, f"{_D}/{permission}", f"{_WRITE}/{permission}", scope="/")


ROUTES = (
    Route("GET", _V + "/me", "users:me", SIGNED_IN),
    Route("POST", _V + "/me/revokeSignInSessions", "users:revoke_sessions", SIGNED_IN,
          f"{_WRITE}/users/invalidateAllRefreshTokens"),
    Route("GET", _V + "/me/ownedObjects", "members:my_objects", SIGNED_IN),
    Route("GET", _V + "/me/memberOf", "members:my_groups", SIGNED_IN),
    _read("/organization", "organization:listed", "organization"),
    _read("/domains", "organization:domains", "domains"),
    # Users
    _read("/users", "users:listed"),
    _write("POST", "/users", "users:create", "users/create"),
    _read("/users/{id}", "users:show"),
    _write("PATCH", "/users/{id}", "users:update", "users/basic/update"),
    _write("DELETE", "/users/{id}", "users:delete", "users/delete"),
    _write("POST", "/users/{id}/revokeSignInSessions", "users:revoke_sessions", "users/invalidateAllRefreshTokens"),
    # Groups
    _read("/groups", "groups:listed", "groups"),
    _write("POST", "/groups", "groups:create", "groups/create"),
    _read("/groups/{id}", "groups:show", "groups"),
    _write("PATCH", "/groups/{id}", "groups:update", "groups/basic/update"),
    _write("DELETE", "/groups/{id}", "groups:delete", "groups/delete"),
    _read("/groups/{id}/members", "members:of_group", "groups", "members"),
    _read("/groups/{id}/transitiveMembers", "members:of_group_transitive", "groups", "members"),
    _write("POST", "/groups/{id}/members/$ref", "members:add", "groups/members/update"),
    _write("DELETE", "/groups/{id}/members/{member}/$ref", "members:remove", "groups/members/update"),
    _read("/groups/{id}/owners", "members:owners", "groups", "owners"),
    _write("POST", "/groups/{id}/owners/$ref", "members:add_owner", "groups/owners/update"),
    _write("DELETE", "/groups/{id}/owners/{owner}/$ref", "members:remove_owner", "groups/owners/update"),
    # Applications
    _read("/applications", "applications:listed", "applications"),
    _write("POST", "/applications", "applications:create", "applications/create"),
    _read("/applications/{id}", "applications:show", "applications"),
    _write("PATCH", "/applications/{id}", "applications:update", "applications/basic/update"),
    _write("DELETE", "/applications/{id}", "applications:delete", "applications/delete"),
    _write("POST", "/applications/{id}/addPassword", "secrets:add_to_application", "applications/credentials/update"),
    _write("POST", "/applications/{id}/removePassword", "secrets:remove_from_application",
           "applications/credentials/update"),
    _read("/applications/{id}/owners", "members:owners", "applications", "owners"),
    _write("POST", "/applications/{id}/owners/$ref", "members:add_owner", "applications/owners/update"),
    _write("DELETE", "/applications/{id}/owners/{owner}/$ref", "members:remove_owner", "applications/owners/update"),
    _read("/applications/{id}/federatedIdentityCredentials", "federated:listed", "applications"),
    _write("POST", "/applications/{id}/federatedIdentityCredentials", "federated:create",
           "applications/credentials/update"),
    _read("/applications/{id}/federatedIdentityCredentials/{name}", "federated:show", "applications"),
    _write("PATCH", "/applications/{id}/federatedIdentityCredentials/{name}", "federated:update",
           "applications/credentials/update"),
    _write("DELETE", "/applications/{id}/federatedIdentityCredentials/{name}", "federated:delete",
           "applications/credentials/update"),
    # Service principals
    _read("/servicePrincipals", "service_principals:listed", "servicePrincipals"),
    _write("POST", "/servicePrincipals", "service_principals:create", "servicePrincipals/create"),
    _read("/servicePrincipals/{id}", "service_principals:show", "servicePrincipals"),
    _write("PATCH", "/servicePrincipals/{id}", "service_principals:update", "servicePrincipals/basic/update"),
    _write("DELETE", "/servicePrincipals/{id}", "service_principals:delete", "servicePrincipals/delete"),
    _write("POST", "/servicePrincipals/{id}/addPassword", "secrets:add_to_service_principal",
           "servicePrincipals/credentials/update"),
    _write("POST", "/servicePrincipals/{id}/removePassword", "secrets:remove_from_service_principal",
           "servicePrincipals/credentials/update"),
    _read("/servicePrincipals/{id}/owners", "members:owners", "servicePrincipals", "owners"),
    # Any directory object
    _read("/directoryObjects/getByIds", "members:by_ids", method="POST"),
    _read("/directoryObjects/{id}", "members:one"),
    *(
        _read(f"/{kind}/{{id}}/{name}", f"members:{operation}", "users", "memberOf", method)
        for kind in ("directoryObjects", "users", "groups", "servicePrincipals")
        for method, name, operation in (
            ("POST", "checkMemberGroups", "check_groups"), ("POST", "getMemberGroups", "group_ids"),
            ("POST", "getMemberObjects", "group_ids"), ("GET", "memberOf", "direct_groups"),
            ("GET", "transitiveMemberOf", "all_groups"),
        )
    ),
    # Directory roles
    _read("/directoryRoles", "directory_roles:listed", "directoryRoles"),
    _read("/directoryRoles/{id}/members", "directory_roles:holders", "directoryRoles", "members"),
    _write("POST", "/directoryRoles/{id}/members/$ref", "directory_roles:add", "directoryRoles/members/update"),
    _write("DELETE", "/directoryRoles/{id}/members/{member}/$ref", "directory_roles:remove",
           "directoryRoles/members/update"),
)  # fmt: skip
