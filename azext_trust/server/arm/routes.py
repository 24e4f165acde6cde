"""What Azure Resource Manager offers here, and the action each operation needs (rbac-semantics.md section 11)."""

from azext_trust.server.gate.route import ANONYMOUS, SIGNED_IN, Route

_SUB = "/subscriptions/{subscription}"
_GROUP = _SUB + "/resourceGroups/{group}"
_ACR = "Microsoft.ContainerRegistry"
_REG = _GROUP + "/providers/Microsoft.ContainerRegistry/registries/{registry}"
_R = "Microsoft.ContainerRegistry/registries"
_A = "Microsoft.Authorization"
_AT = "{scope:path}/providers/Microsoft.Authorization"
_RG = "Microsoft.Resources/subscriptions/resourceGroups"
_M = "Microsoft.Management/managementGroups"
_MG = "/providers/Microsoft.Management/managementGroups"
_D = "Microsoft.Resources/deployments"


def _changed(method: str, path: str, operation: str, action: str, scope: str = "", otherwise: str = "") -> Route:
    """Return a row whose activity has its action's name, as in Azure's activity log."""
    return Route(method, path, operation, action, action, scope, otherwise=otherwise)


_RESOURCES = (
    Route("GET", "/metadata/endpoints", "metadata:endpoints", ANONYMOUS),
    Route("GET", "/tenants", "subscriptions:tenants", SIGNED_IN),
    Route("GET", "/subscriptions", "subscriptions:listed", SIGNED_IN),
    Route("GET", _SUB, "subscriptions:show", SIGNED_IN),
    Route("GET", _SUB + "/locations", "subscriptions:locations", "Microsoft.Resources/subscriptions/locations/read",
          scope=_SUB),
    Route("GET", _SUB + "/operationresults/{operation}", "long_running:result", SIGNED_IN),
    # Groups
    Route("GET", _SUB + "/resourceGroups", "groups:listed", SIGNED_IN),
    Route("GET", _GROUP, "groups:show", f"{_RG}/read"),
    Route("HEAD", _GROUP, "groups:exists", f"{_RG}/read"),
    _changed("PUT", _GROUP, "groups:put", f"{_RG}/write"),
    _changed("PATCH", _GROUP, "groups:patch", f"{_RG}/write"),
    _changed("DELETE", _GROUP, "groups:delete", f"{_RG}/delete"),
    Route("POST", _GROUP + "/exportTemplate", "exported:template", f"{_D}/exportTemplate/action", scope=_GROUP),
    Route("GET", _SUB + "/resources", "resource_list:in_subscription", SIGNED_IN),
    Route("GET", _GROUP + "/resources", "resource_list:in_group", SIGNED_IN),
    # Providers
    Route("GET", "/providers", "providers:tenant_listed", SIGNED_IN),
    Route("GET", "/providers/{namespace}", "providers:tenant_show", SIGNED_IN),
    Route("GET", _SUB + "/providers", "providers:listed", SIGNED_IN),
    Route("GET", _SUB + "/providers/{namespace}", "providers:show", SIGNED_IN),
    # The action is the provider's own, {namespace}/register/action: the operation asks for it.
    Route("POST", _SUB + "/providers/{namespace}/register", "providers:register", SIGNED_IN,
          "Microsoft.Resources/subscriptions/providers/register/action"),
    Route("POST", _SUB + "/providers/{namespace}/unregister", "providers:unregister", SIGNED_IN,
          "Microsoft.Resources/subscriptions/providers/unregister/action"),
    Route("GET", _SUB + "/providers/{namespace}/providerPermissions", "providers:permissions", SIGNED_IN),
    Route("GET", "/providers/Microsoft.Authorization/providerOperations", "providers:operation_list", SIGNED_IN),
    Route("GET", "/providers/Microsoft.Authorization/providerOperations/{namespace}", "providers:operation_show",
          SIGNED_IN),
)  # fmt: skip

_MANAGEMENT_GROUPS = (
    Route("GET", _MG, "management_groups:listed", SIGNED_IN),
    Route("POST", "/providers/Microsoft.Management/checkNameAvailability", "management_groups:check_name", SIGNED_IN),
    Route("POST", "/providers/Microsoft.Management/getEntities", "management_group_members:entities", SIGNED_IN),
    Route("POST", "/providers/Microsoft.Management/startTenantBackfill", "management_group_members:backfill",
          SIGNED_IN),
    Route("POST", "/providers/Microsoft.Management/tenantBackfillStatus", "management_group_members:backfill",
          SIGNED_IN),
    Route("GET", "/providers/Microsoft.Management/operationResults/{verb}/asyncOperation/status/managementGroups/{group}",
          "management_groups:status", SIGNED_IN),
    Route("GET", "/providers/Microsoft.Management/operationResults/{verb}/managementGroups/{group}",
          "management_groups:result", SIGNED_IN),
    Route("GET", _MG + "/{group}", "management_groups:show", f"{_M}/read"),
    _changed("PUT", _MG + "/{group}", "management_groups:put", f"{_M}/write",
             otherwise="management_groups:may_create"),
    _changed("PATCH", _MG + "/{group}", "management_groups:patch", f"{_M}/write"),
    _changed("DELETE", _MG + "/{group}", "management_groups:delete", f"{_M}/delete"),
    Route("GET", _MG + "/{group}/descendants", "management_group_members:descendants", f"{_M}/descendants/read",
          scope=_MG + "/{group}"),
    Route("GET", _MG + "/{group}/subscriptions", "management_group_members:listed", f"{_M}/subscriptions/read",
          scope=_MG + "/{group}"),
    Route("GET", _MG + "/{group}/subscriptions/{subscription}", "management_group_members:show",
          f"{_M}/subscriptions/read", scope=_MG + "/{group}"),
    _changed("PUT", _MG + "/{group}/subscriptions/{subscription}", "management_group_members:add",
             f"{_M}/subscriptions/write", scope=_MG + "/{group}", otherwise="management_groups:is_root"),
    _changed("DELETE", _MG + "/{group}/subscriptions/{subscription}", "management_group_members:remove",
             f"{_M}/subscriptions/delete", scope=_MG + "/{group}"),
    Route("GET", _MG + "/{group}/settings", "management_group_members:settings", f"{_M}/settings/read",
          scope=_MG + "/{group}"),
    Route("GET", _MG + "/{group}/settings/default", "management_group_members:show_settings", f"{_M}/settings/read",
          scope=_MG + "/{group}"),
    _changed("PUT", _MG + "/{group}/settings/default", "management_group_members:put_settings",
             f"{_M}/settings/write", scope=_MG + "/{group}"),
    _changed("PATCH", _MG + "/{group}/settings/default", "management_group_members:put_settings",
             f"{_M}/settings/write", scope=_MG + "/{group}"),
    _changed("DELETE", _MG + "/{group}/settings/default", "management_group_members:delete_settings",
             f"{_M}/settings/delete", scope=_MG + "/{group}"),
)  # fmt: skip

_REGISTRIES = (
    Route("POST", f"{_SUB}/providers/{_ACR}/checkNameAvailability", "registries:check_name",
          f"{_ACR}/checkNameAvailability/read", scope=_SUB),
    Route("GET", f"/providers/{_ACR}/operations", "registries:operations", SIGNED_IN),
    Route("GET", f"{_SUB}/providers/{_ACR}/locations/{{location}}/operationResults/{{operation}}",
          "imports:result", SIGNED_IN),
    Route("GET", f"{_SUB}/providers/{_ACR}/registries", "registries:in_subscription", f"{_R}/read", scope=_SUB),
    Route("GET", f"{_GROUP}/providers/{_ACR}/registries", "registries:in_group", f"{_R}/read", scope=_GROUP),
    Route("GET", _REG, "registries:show", f"{_R}/read"),
    _changed("PUT", _REG, "registries:put", f"{_R}/write"),
    _changed("PATCH", _REG, "registries:patch", f"{_R}/write"),
    _changed("DELETE", _REG, "registries:delete", f"{_R}/delete"),
    Route("GET", _REG + "/operationStatuses/{operation}", "long_running:status", f"{_R}/operationStatuses/read",
          scope=_REG),
    Route("GET", _REG + "/listUsages", "registry_credentials:usages", f"{_R}/read", scope=_REG),
    _changed("POST", _REG + "/listCredentials", "registry_credentials:listed", f"{_R}/listCredentials/action",
             scope=_REG),
    _changed("POST", _REG + "/regenerateCredential", "registry_credentials:regenerate",
             f"{_R}/regenerateCredential/action", scope=_REG),
    _changed("POST", _REG + "/importImage", "imports:begin", f"{_R}/importImage/action", scope=_REG),
    # Scope maps and tokens
    Route("GET", _REG + "/scopeMaps", "scope_maps:listed", f"{_R}/scopeMaps/read", scope=_REG),
    Route("GET", _REG + "/scopeMaps/{name}", "scope_maps:show", f"{_R}/scopeMaps/read"),
    _changed("PUT", _REG + "/scopeMaps/{name}", "scope_maps:put", f"{_R}/scopeMaps/write"),
    _changed("PATCH", _REG + "/scopeMaps/{name}", "scope_maps:patch", f"{_R}/scopeMaps/write"),
    _changed("DELETE", _REG + "/scopeMaps/{name}", "scope_maps:delete", f"{_R}/scopeMaps/delete"),
    Route("GET", _REG + "/tokens", "registry_tokens:listed", f"{_R}/tokens/read", scope=_REG),
    Route("GET", _REG + "/tokens/{name}", "registry_tokens:show", f"{_R}/tokens/read"),
    _changed("PUT", _REG + "/tokens/{name}", "registry_tokens:put", f"{_R}/tokens/write"),
    _changed("PATCH", _REG + "/tokens/{name}", "registry_tokens:patch", f"{_R}/tokens/write"),
    _changed("DELETE", _REG + "/tokens/{name}", "registry_tokens:delete", f"{_R}/tokens/delete"),
    Route("GET", _REG + "/tokens/{name}/operationStatuses/{operation}", "long_running:status",
          f"{_R}/tokens/operationStatuses/read", scope=_REG),
    _changed("POST", _REG + "/generateCredentials", "registry_tokens:generate", f"{_R}/generateCredentials/action",
             scope=_REG),
)  # fmt: skip

_MI = "Microsoft.ManagedIdentity/userAssignedIdentities"
_IDENTITY = _GROUP + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{identity}"
_FEDERATED = _IDENTITY + "/federatedIdentityCredentials"
_IDENTITIES = (
    Route("GET", "/providers/Microsoft.ManagedIdentity/operations", "identities:operations", SIGNED_IN),
    Route("GET", f"{_SUB}/providers/{_MI}", "identities:in_subscription", f"{_MI}/read", scope=_SUB),
    Route("GET", f"{_GROUP}/providers/{_MI}", "identities:in_group", f"{_MI}/read", scope=_GROUP),
    Route("GET", _IDENTITY, "identities:show", f"{_MI}/read"),
    _changed("PUT", _IDENTITY, "identities:put", f"{_MI}/write"),
    _changed("PATCH", _IDENTITY, "identities:patch", f"{_MI}/write"),
    _changed("DELETE", _IDENTITY, "identities:delete", f"{_MI}/delete"),
    Route("POST", _IDENTITY + "/listAssociatedResources", "identities:associated",
          f"{_MI}/listAssociatedResources/action", scope=_IDENTITY),
    Route("GET", "{scope:path}/providers/Microsoft.ManagedIdentity/identities/default", "identities:system_assigned",
          "Microsoft.ManagedIdentity/identities/read", scope="{scope}"),
    Route("GET", _FEDERATED, "identity_federation:listed", f"{_MI}/federatedIdentityCredentials/read",
          scope=_IDENTITY),
    Route("GET", _FEDERATED + "/{name}", "identity_federation:show", f"{_MI}/federatedIdentityCredentials/read"),
    _changed("PUT", _FEDERATED + "/{name}", "identity_federation:put", f"{_MI}/federatedIdentityCredentials/write"),
    _changed("DELETE", _FEDERATED + "/{name}", "identity_federation:delete",
             f"{_MI}/federatedIdentityCredentials/delete"),
)  # fmt: skip

_AUTHORIZATION = (
    Route("GET", _AT + "/roleDefinitions", "role_definitions:listed", f"{_A}/roleDefinitions/read", scope="{scope}"),
    Route("GET", _AT + "/roleDefinitions/{name}", "role_definitions:show", f"{_A}/roleDefinitions/read",
          scope="{scope}"),
    _changed("PUT", _AT + "/roleDefinitions/{name}", "role_definitions:put", f"{_A}/roleDefinitions/write",
             scope="{scope}"),
    _changed("DELETE", _AT + "/roleDefinitions/{name}", "role_definitions:delete", f"{_A}/roleDefinitions/delete",
             scope="{scope}"),
    Route("GET", _AT + "/roleAssignments", "role_assignments:listed", f"{_A}/roleAssignments/read", scope="{scope}"),
    Route("GET", _AT + "/roleAssignments/{name}", "role_assignments:show", f"{_A}/roleAssignments/read",
          scope="{scope}"),
    Route("PUT", _AT + "/roleAssignments/{name}", "role_assignments:put", f"{_A}/roleAssignments/write",
          f"{_A}/roleAssignments/write", attributes="role_assignments:asked_attributes"),
    Route("DELETE", _AT + "/roleAssignments/{name}", "role_assignments:delete", f"{_A}/roleAssignments/delete",
          f"{_A}/roleAssignments/delete", attributes="role_assignments:held_attributes"),
    Route("GET", _AT + "/denyAssignments", "deny_assignments:listed", f"{_A}/denyAssignments/read", scope="{scope}"),
    Route("GET", _AT + "/denyAssignments/{name}", "deny_assignments:show", f"{_A}/denyAssignments/read",
          scope="{scope}"),
    _changed("PUT", _AT + "/denyAssignments/{name}", "deny_assignments:put", f"{_A}/denyAssignments/write"),
    _changed("DELETE", _AT + "/denyAssignments/{name}", "deny_assignments:delete", f"{_A}/denyAssignments/delete"),
    # An Entra role, not a role of Resource Manager, gives this: the operation asks for it.
    Route("POST", f"/providers/{_A}/elevateAccess", "access:elevate", SIGNED_IN, f"{_A}/elevateAccess/action"),
    # Anybody may ask what they themselves may do.
    Route("GET", _AT + "/permissions", "access:permissions", SIGNED_IN),
    Route("GET", f"{_SUB}/providers/{_A}/classicAdministrators", "access:classic_administrators",
          f"{_A}/classicAdministrators/read", scope=_SUB),
    # Activity log
    Route("GET", "{scope:path}/providers/Microsoft.Insights/eventtypes/management/values", "activity:values",
          "Microsoft.Insights/eventtypes/values/read", scope="{scope}"),
    Route("GET", "/providers/Microsoft.Insights/eventcategories", "activity:categories", SIGNED_IN),
    # Locks
    Route("GET", _AT + "/locks", "locks:listed", f"{_A}/locks/read", scope="{scope}"),
    Route("GET", _AT + "/locks/{name}", "locks:show", f"{_A}/locks/read", scope="{scope}"),
    _changed("PUT", _AT + "/locks/{name}", "locks:put", f"{_A}/locks/write", scope="{scope}"),
    _changed("DELETE", _AT + "/locks/{name}", "locks:delete", f"{_A}/locks/delete", scope="{scope}"),
)  # fmt: skip


def _outside(path: str, kind: str, scope: str, lists: str = "") -> tuple[Route, ...]:
    """Return the rows of a type that is not offered: its list is empty, anything else is refused with the reason."""
    actions = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "write", "HEAD": "read"}
    rows = [Route("GET", path, "unoffered:listed", lists or f"{kind}/read", scope=scope)] if lists != "-" else []
    rows += [
        Route(method, path + "/{rest:path}", "unoffered:refused", f"{kind}/{verb}",
              "" if verb == "read" else f"{kind}/{verb}", scope=scope)
        for method, verb in actions.items()
        if (kind, verb) != (f"{_R}/runs", "delete")  # Azure has no such operation
    ]  # fmt: skip
    return tuple(rows)


_OUTSIDE = (
    *(
        row
        for name, kind in {
            "agentPools": "agentpools", "tasks": "tasks", "taskRuns": "taskruns", "runs": "runs",
            "connectedRegistries": "connectedRegistries", "replications": "replications", "webhooks": "webhooks",
            "cacheRules": "cacheRules", "credentialSets": "credentialSets",
            "privateEndpointConnections": "privateEndpointConnections", "exportPipelines": "exportPipelines",
            "importPipelines": "importPipelines", "pipelineRuns": "pipelineRuns",
        }.items()
        for row in _outside(f"{_REG}/{name}", f"{_R}/{kind}", _REG)
        if (name, row.method) != ("runs", "DELETE")  # runs are cancelled, not deleted: there is no such operation
    ),
    Route("GET", _REG + "/privateLinkResources", "unoffered:listed", f"{_R}/read", scope=_REG),
    _changed("POST", _REG + "/scheduleRun", "unoffered:refused", f"{_R}/scheduleRun/action", scope=_REG),
    _changed("POST", _REG + "/listBuildSourceUploadUrl", "unoffered:refused",
             f"{_R}/listBuildSourceUploadUrl/action", scope=_REG),
    _changed("POST", _GROUP + "/moveResources", "unoffered:refused", f"{_RG}/moveResources/action", scope=_GROUP),
    _changed("POST", _GROUP + "/validateMoveResources", "unoffered:refused",
             f"{_RG}/validateMoveResources/action", scope=_GROUP),
    *_outside("{scope:path}/providers/Microsoft.Resources/deployments", _D, "{scope}"),
    # az asks for a deployment's operations by the old way.
    *_outside(_GROUP + "/deployments", _D, _GROUP),
    *_outside("{scope:path}/providers/Microsoft.Resources/links", "Microsoft.Resources/links", "{scope}"),
    *_outside("{scope:path}/providers/Microsoft.Resources/tags", "Microsoft.Resources/tags", "{scope}", "-"),
)  # fmt: skip

ROUTES = (*_RESOURCES, *_MANAGEMENT_GROUPS, *_REGISTRIES, *_IDENTITIES, *_AUTHORIZATION, *_OUTSIDE)
