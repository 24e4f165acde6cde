"""What Microsoft Graph offers here, and the directory permission each operation needs."""

from azext_trust.server.gate.route import SIGNED_IN, Route

_D = "microsoft.directory"
_V = "/v1.0"
_WRITE = "Microsoft.Graph"


def _read(path: str, operation: str, noun: str = "users", part: str = "standard", method: str = "GET") -> Route:
    """Return a row that any user may ask; an application needs a permission."""
    return Route(method, _V + path, operation, f"{_D}/{noun}/{part}/read", scope="/", otherwise="rights:granted")


def _write(method: str, path: str, operation: str, permission: str, otherwise: str = "rights:granted") -> Route:
    activity = f"{_WRITE}/{permission}"
    return Route(method, _V + path, operation, f"{_D}/{permission}", activity, scope="/", otherwise=otherwise)


def _list(noun: str, module: str) -> tuple[Route, ...]:
    """Return the rows that list and count a collection and show one of it."""
    return (
        _read(f"/{noun}", f"{module}:listed", noun),
        _read(f"/{noun}/$count", f"{module}:counted", noun),
        _read(f"/{noun}/{{id}}", f"{module}:show", noun),
    )


def _related(path: str, operation: str, noun: str, part: str) -> tuple[Route, ...]:
    """Return the rows of related objects: all, one kind of them, and how many."""
    return (
        _read(path, operation, noun, part),
        _read(f"{path}/$count", operation, noun, part),
        _read(f"{path}/microsoft.graph.{{cast}}", operation, noun, part),
        _read(f"{path}/microsoft.graph.{{cast}}/$count", operation, noun, part),
    )


_ME = (
    Route("POST", _V + "/$batch", "batch:answer", SIGNED_IN, own_transactions=True),
    Route("GET", _V + "/me", "users:me", SIGNED_IN),
    Route("PATCH", _V + "/me", "users:update_me", SIGNED_IN, f"{_WRITE}/users/basic/update"),
    Route("POST", _V + "/me/changePassword", "users:change_password", SIGNED_IN, f"{_WRITE}/users/password/update"),
    Route("POST", _V + "/me/revokeSignInSessions", "users:revoke_sessions", SIGNED_IN,
          f"{_WRITE}/users/invalidateAllRefreshTokens"),
    Route("GET", _V + "/me/ownedObjects", "members:my_objects", SIGNED_IN),
    Route("GET", _V + "/me/memberOf", "members:direct_groups", SIGNED_IN),
    Route("GET", _V + "/me/memberOf/microsoft.graph.{cast}", "members:direct_groups", SIGNED_IN),
    Route("GET", _V + "/me/transitiveMemberOf", "members:all_groups", SIGNED_IN),
    Route("GET", _V + "/me/transitiveMemberOf/microsoft.graph.{cast}", "members:all_groups", SIGNED_IN),
    Route("POST", _V + "/me/checkMemberGroups", "members:check_groups", SIGNED_IN),
    Route("POST", _V + "/me/checkMemberObjects", "members:check_objects", SIGNED_IN),
    Route("POST", _V + "/me/getMemberGroups", "members:group_ids", SIGNED_IN),
    Route("POST", _V + "/me/getMemberObjects", "members:object_ids", SIGNED_IN),
    _read("/organization", "organization:listed", "organization"),
    _read("/organization/{id}", "organization:show", "organization"),
    _read("/domains", "organization:domains", "domains"),
    _read("/domains/{id}", "organization:domain", "domains"),
)  # fmt: skip

_USERS = (
    *_list("users", "users"),
    _write("POST", "/users", "users:create", "users/create"),
    _write("PATCH", "/users/{id}", "users:update", "users/basic/update", "rights:own_profile"),
    _write("DELETE", "/users/{id}", "users:delete", "users/delete"),
    _write("POST", "/users/{id}/revokeSignInSessions", "users:revoke_sessions", "users/invalidateAllRefreshTokens"),
    _read("/users/{id}/ownedObjects", "members:owned_objects", "users", "owners"),
    _read("/users/{id}/appRoleAssignments", "grants:roles_held", "users", "memberOf"),
    _write("POST", "/users/{id}/appRoleAssignments", "grants:give_role", "servicePrincipals/appRoleAssignedTo/update"),
    _write("DELETE", "/users/{id}/appRoleAssignments/{grant}", "grants:take_role",
           "servicePrincipals/appRoleAssignedTo/update"),
)  # fmt: skip

_GROUPS = (
    *_list("groups", "groups"),
    _write("POST", "/groups", "groups:create", "groups/create", "rights:may_create_group"),
    _write("PATCH", "/groups/{id}", "groups:update", "groups/basic/update", "rights:owns"),
    _write("DELETE", "/groups/{id}", "groups:delete", "groups/delete", "rights:owns"),
    *_related("/groups/{id}/members", "members:of_group", "groups", "members"),
    *_related("/groups/{id}/transitiveMembers", "members:of_group_transitive", "groups", "members"),
    _write("POST", "/groups/{id}/members/$ref", "members:add", "groups/members/update", "rights:owns"),
    _write("DELETE", "/groups/{id}/members/{member}/$ref", "members:remove", "groups/members/update", "rights:owns"),
    *_related("/groups/{id}/owners", "members:owners", "groups", "owners"),
    _write("POST", "/groups/{id}/owners/$ref", "members:add_owner", "groups/owners/update", "rights:owns"),
    _write("DELETE", "/groups/{id}/owners/{owner}/$ref", "members:remove_owner", "groups/owners/update",
           "rights:owns"),
)  # fmt: skip


def _credentials(noun: str, suffix: str) -> tuple[Route, ...]:
    """Return the rows of secrets, keys and owners of applications and service principals."""
    base, update = f"/{noun}/{{id}}", f"{noun}/credentials/update"
    return (
        _write("POST", base + "/addPassword", f"secrets:add_to_{suffix}", update, "rights:owns"),
        _write("POST", base + "/removePassword", f"secrets:remove_from_{suffix}", update, "rights:owns"),
        _write("POST", base + "/addKey", f"keys:add_to_{suffix}", update, "rights:owns"),
        _write("POST", base + "/removeKey", f"keys:remove_from_{suffix}", update, "rights:owns"),
        *_related(base + "/owners", "members:owners", noun, "owners"),
        _write("POST", base + "/owners/$ref", "members:add_owner", f"{noun}/owners/update", "rights:owns"),
        _write("DELETE", base + "/owners/{owner}/$ref", "members:remove_owner", f"{noun}/owners/update",
               "rights:owns"),
    )  # fmt: skip


_FEDERATED = "/applications/{id}/federatedIdentityCredentials"
_APPLICATIONS = (
    *_list("applications", "applications"),
    _write("POST", "/applications", "applications:create", "applications/create", "rights:may_register"),
    _write("PATCH", "/applications/{id}", "applications:update", "applications/basic/update", "rights:owns"),
    _write("DELETE", "/applications/{id}", "applications:delete", "applications/delete", "rights:owns"),
    *_credentials("applications", "application"),
    _read(_FEDERATED, "federated:listed", "applications"),
    _write("POST", _FEDERATED, "federated:create", "applications/credentials/update", "rights:owns"),
    _read(_FEDERATED + "/{name}", "federated:show", "applications"),
    _write("PATCH", _FEDERATED + "/{name}", "federated:update", "applications/credentials/update", "rights:owns"),
    _write("DELETE", _FEDERATED + "/{name}", "federated:delete", "applications/credentials/update", "rights:owns"),
)  # fmt: skip

_SERVICE_PRINCIPALS = (
    *_list("servicePrincipals", "service_principals"),
    _write("POST", "/servicePrincipals", "service_principals:create", "servicePrincipals/create",
           "rights:may_add_principal"),
    _write("PATCH", "/servicePrincipals/{id}", "service_principals:update", "servicePrincipals/basic/update",
           "rights:owns"),
    _write("DELETE", "/servicePrincipals/{id}", "service_principals:delete", "servicePrincipals/delete",
           "rights:owns"),
    *_credentials("servicePrincipals", "service_principal"),
    _read("/servicePrincipals/{id}/ownedObjects", "members:owned_objects", "servicePrincipals", "owners"),
    _read("/servicePrincipals/{id}/oauth2PermissionGrants", "grants:of_client", "servicePrincipals"),
    _read("/servicePrincipals/{id}/appRoleAssignments", "grants:roles_held", "servicePrincipals"),
    _read("/servicePrincipals/{id}/appRoleAssignedTo", "grants:roles_given", "servicePrincipals"),
    *(
        row
        for name in ("appRoleAssignments", "appRoleAssignedTo")
        for row in (
            _write("POST", f"/servicePrincipals/{{id}}/{name}", "grants:give_role",
                   "servicePrincipals/appRoleAssignedTo/update"),
            _write("DELETE", f"/servicePrincipals/{{id}}/{name}/{{grant}}", "grants:take_role",
                   "servicePrincipals/appRoleAssignedTo/update"),
        )
    ),
    _read("/oauth2PermissionGrants", "grants:listed", "oAuth2PermissionGrants"),
    _write("POST", "/oauth2PermissionGrants", "grants:create", "oAuth2PermissionGrants/create"),
    _read("/oauth2PermissionGrants/{id}", "grants:show", "oAuth2PermissionGrants"),
    _write("PATCH", "/oauth2PermissionGrants/{id}", "grants:update", "oAuth2PermissionGrants/basic/update"),
    _write("DELETE", "/oauth2PermissionGrants/{id}", "grants:delete", "oAuth2PermissionGrants/delete"),
)  # fmt: skip

_OBJECTS = (
    _read("/directoryObjects/getByIds", "members:by_ids", method="POST"),
    _read("/directoryObjects/{id}", "members:one"),
    _write("DELETE", "/directoryObjects/{id}", "members:delete_one", "directoryObjects/delete"),
    *(
        _read(f"/{kind}/{{id}}/{name}", f"members:{operation}", "users", "memberOf", "POST")
        for kind in ("directoryObjects", "users", "groups", "servicePrincipals")
        for name, operation in (
            ("checkMemberGroups", "check_groups"), ("checkMemberObjects", "check_objects"),
            ("getMemberGroups", "group_ids"), ("getMemberObjects", "object_ids"),
        )
    ),
    *(
        row
        for kind in ("directoryObjects", "users", "groups", "servicePrincipals")
        for name, operation in (("memberOf", "direct_groups"), ("transitiveMemberOf", "all_groups"))
        for row in _related(f"/{kind}/{{id}}/{name}", f"members:{operation}", "users", "memberOf")
    ),
    # Deleted objects
    _read("/directory/deletedItems/microsoft.graph.{kind}", "deleted:listed", "deletedItems"),
    _read("/directory/deletedItems/{id}", "deleted:show", "deletedItems"),
    _write("POST", "/directory/deletedItems/{id}/restore", "deleted:restore", "deletedItems/restore"),
    _write("DELETE", "/directory/deletedItems/{id}", "deleted:remove", "deletedItems/delete"),
    # Directory roles
    _read("/directoryRoles", "directory_roles:listed", "directoryRoles"),
    _write("POST", "/directoryRoles", "directory_roles:activate", "directoryRoles/create"),
    _read("/directoryRoles/{id}", "directory_roles:show", "directoryRoles"),
    _read("/directoryRoles/{id}/members", "directory_roles:holders", "directoryRoles", "members"),
    _write("POST", "/directoryRoles/{id}/members/$ref", "directory_roles:add", "directoryRoles/members/update"),
    _write("DELETE", "/directoryRoles/{id}/members/{member}/$ref", "directory_roles:remove",
           "directoryRoles/members/update"),
    _read("/directoryRoleTemplates", "directory_roles:templates", "directoryRoles"),
    _read("/directoryRoleTemplates/{id}", "directory_roles:template", "directoryRoles"),
)  # fmt: skip

ROUTES = (*_ME, *_USERS, *_GROUPS, *_APPLICATIONS, *_SERVICE_PRINCIPALS, *_OBJECTS)
