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

ROUTES = (
    Route("GET", "/metadata/endpoints", "metadata:endpoints", ANONYMOUS),
    Route("GET", "/tenants", "subscriptions:tenants", SIGNED_IN),
    Route("GET", "/subscriptions", "subscriptions:listed", SIGNED_IN),
    Route("GET", _SUB, "subscriptions:show", SIGNED_IN),
    Route("GET", _SUB + "/locations", "subscriptions:locations", "Microsoft.Resources/subscriptions/locations/read",
          scope=_SUB),
    # Groups
    Route("GET", _SUB + "/resourceGroups", "groups:listed", SIGNED_IN),
    Route("GET", _GROUP, "groups:show", f"{_RG}/read"),
    Route("HEAD", _GROUP, "groups:exists", f"{_RG}/read"),
    Route("PUT", _GROUP, "groups:put", f"{_RG}/write", f"{_RG}/write"),
    Route("PATCH", _GROUP, "groups:patch", f"{_RG}/write", f"{_RG}/write"),
    Route("DELETE", _GROUP, "groups:delete", f"{_RG}/delete", f"{_RG}/delete"),
    Route("GET", _SUB + "/resources", "resource_list:in_subscription", SIGNED_IN),
    Route("GET", _GROUP + "/resources", "resource_list:in_group", SIGNED_IN),
    # Providers
    Route("GET", _SUB + "/providers", "providers:listed", SIGNED_IN),
    Route("GET", _SUB + "/providers/{namespace}", "providers:show", SIGNED_IN),
    Route("POST", _SUB + "/providers/{namespace}/register", "providers:register",
          "Microsoft.ContainerRegistry/register/action", "Microsoft.Resources/subscriptions/providers/register/action",
          scope=_SUB),
    # Registries
    Route("POST", f"{_SUB}/providers/{_ACR}/checkNameAvailability", "registries:check_name",
          f"{_ACR}/checkNameAvailability/read", scope=_SUB),
    Route("GET", f"{_SUB}/providers/{_ACR}/registries", "registries:in_subscription", f"{_R}/read", scope=_SUB),
    Route("GET", f"{_GROUP}/providers/{_ACR}/registries", "registries:in_group", f"{_R}/read", scope=_GROUP),
    Route("GET", _REG, "registries:show", f"{_R}/read"),
    Route("PUT", _REG, "registries:put", f"{_R}/write", f"{_R}/write"),
    Route("PATCH", _REG, "registries:patch", f"{_R}/write", f"{_R}/write"),
    Route("DELETE", _REG, "registries:delete", f"{_R}/delete", f"{_R}/delete"),
    Route("GET", _REG + "/listUsages", "registry_credentials:usages", f"{_R}/read", scope=_REG),
    Route("POST", _REG + "/listCredentials", "registry_credentials:listed", f"{_R}/listCredentials/action",
          f"{_R}/listCredentials/action", scope=_REG),
    Route("POST", _REG + "/regenerateCredential", "registry_credentials:regenerate",
          f"{_R}/regenerateCredential/action", f"{_R}/regenerateCredential/action", scope=_REG),
    Route("POST", _REG + "/importImage", "imports:begin", f"{_R}/importImage/action", f"{_R}/importImage/action",
          scope=_REG),
    # Who began an operation may ask how it ended.
    Route("GET", f"{_SUB}/providers/{_ACR}/locations/{{location}}/operationResults/{{operation}}", "imports:result",
          SIGNED_IN),
    # Authorization
    Route("GET", _AT + "/roleDefinitions", "role_definitions:listed", f"{_A}/roleDefinitions/read", scope="{scope}"),
    Route("GET", _AT + "/roleDefinitions/{name}", "role_definitions:show", f"{_A}/roleDefinitions/read",
          scope="{scope}"),
    Route("PUT", _AT + "/roleDefinitions/{name}", "role_definitions:put", f"{_A}/roleDefinitions/write",
          f"{_A}/roleDefinitions/write", scope="{scope}"),
    Route("DELETE", _AT + "/roleDefinitions/{name}", "role_definitions:delete", f"{_A}/roleDefinitions/delete",
          f"{_A}/roleDefinitions/delete", scope="{scope}"),
    Route("GET", _AT + "/roleAssignments", "role_assignments:listed", f"{_A}/roleAssignments/read", scope="{scope}"),
    Route("GET", _AT + "/roleAssignments/{name}", "role_assignments:show", f"{_A}/roleAssignments/read",
          scope="{scope}"),
    Route("PUT", _AT + "/roleAssignments/{name}", "role_assignments:put", f"{_A}/roleAssignments/write",
          f"{_A}/roleAssignments/write", attributes="role_assignments:asked_attributes"),
    Route("DELETE", _AT + "/roleAssignments/{name}", "role_assignments:delete", f"{_A}/roleAssignments/delete",
          f"{_A}/roleAssignments/delete", attributes="role_assignments:held_attributes"),
    Route("GET", _AT + "/denyAssignments", "access:deny_assignments", f"{_A}/denyAssignments/read", scope="{scope}"),
    # Anybody may ask what they themselves may do.
    Route("GET", _AT + "/permissions", "access:permissions", SIGNED_IN),
    Route("GET", f"{_SUB}/providers/{_A}/classicAdministrators", "access:classic_administrators",
          f"{_A}/classicAdministrators/read", scope=_SUB),
)  # fmt: skip
