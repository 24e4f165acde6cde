"""ARM's refusals: codes and texts (rbac-semantics.md section 9, real-responses.md sections 2.3 and 4.3)."""

from __future__ import annotations

import base64
import re

from azext_trust.server.arm import versions
from azext_trust.server.arm.texts import TEXTS
from azext_trust.server.gate.authorise import Denied
from azext_trust.server.gate.call import RETRY, Call, Reply, ServiceError, status_of
from azext_trust.server.gate.route import ANONYMOUS, Route
from azext_trust.server.store.errors import StateError


def headers(call: Call) -> dict[str, str]:
    """Return the headers of every ARM answer (real-responses.md section 1)."""
    found = {
        "cache-control": "no-cache", "pragma": "no-cache", "expires": "-1",
        "strict-transport-security": "max-age=31536000; includeSubDomains", "x-content-type-options": "nosniff",
        "x-ms-request-id": call.request_id, "x-ms-correlation-request-id": call.correlation_id,
        "x-ms-routing-request-id": f"LOCAL:{call.request_id}",
    }  # fmt: skip
    if call.headers.get("x-ms-return-client-request-id", "").lower() == "true":
        found["x-ms-client-request-id"] = call.headers.get("x-ms-client-request-id", "")
    left = {"GET": ("reads", 16499), "HEAD": ("reads", 16499), "DELETE": ("deletes", 14999)}
    name, rest = left.get(call.method, ("writes", 2999))
    found[f"x-ms-ratelimit-remaining-subscription-{'global-' if name == 'reads' else ''}{name}"] = str(rest)
    if "/microsoft.containerregistry/" in call.path.lower():
        found["api-supported-versions"] = call.api_version
    return found


def render(error: ServiceError, call: Call) -> Reply:
    """Return an error in ARM's shape."""
    body = {"error": {"code": error.code, "message": error.message, **error.extra}}
    sent = headers(call) | {"x-ms-failure-cause": "gateway" if error.status in (401, 403) else "service"}
    return Reply(body, error.status, {**sent, **error.headers})


_ROOTS = ("subscriptions", "providers", "tenants", "locations")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview|-alpha|-beta|-rc|-privatepreview)?")


def before(call: Call, row: Route) -> None:
    """Check the api-version by the rule of az-wire-contract.md section 3.

    Raises:
        ServiceError: it is missing, malformed or older than the oldest one known for the type.
    """
    if row.action == ANONYMOUS:
        return
    if call.path.split("/", 2)[1].lower() not in _ROOTS:
        raise ServiceError(404, "MissingSubscription", "The request did not have a subscription or a valid tenant level "
                           "resource provider.")  # fmt: skip
    asked = call.api_version
    if not asked:
        raise ServiceError(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is "
                           "required for all requests.")  # fmt: skip
    kind, known = versions.of(call.path)
    if not _VERSION.fullmatch(asked):
        raise ServiceError(400, "InvalidApiVersionParameter", f"The api-version '{asked}' is invalid. The supported "
                           f"versions are '{','.join(known)}'.")  # fmt: skip
    if asked < known[0]:
        raise ServiceError(
            400, "NoRegisteredProviderFound",
            f"No registered resource provider found for location 'westeurope' and API version '{asked}' for type "
            f"'{kind}'. The supported api-versions are '{', '.join(known)}'. The supported locations are "
            f"'{', '.join(versions.locations())}'.",
        )  # fmt: skip


def unauthenticated(problem: str, call: Call) -> ServiceError:
    """The token is missing or not good here."""
    code, message = {
        "missing": ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
        "expired": ("ExpiredAuthenticationToken", "The access token has expired."),
        "audience": ("InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or "
                     "resource. It should exactly match with one of the allowed audiences "
                     "'https://management.core.windows.net/','https://management.core.windows.net',"
                     "'https://management.azure.com/','https://management.azure.com'."),
        "tenant": ("InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer. It must match the "
                   "tenant associated with this subscription."),
        "revoked": ("AuthenticationFailed", "Authentication failed. The access token was revoked."),
    }.get(problem, ("InvalidAuthenticationToken", "The access token is invalid."))  # fmt: skip
    where = f'Bearer authorization_uri="{call.settings.login_endpoint}/common", '
    if call.challenge:
        claims = base64.b64encode(call.challenge.encode()).decode()
        where += f'error="insufficient_claims", claims="{claims}"'
        return ServiceError(401, code, message, headers={"www-authenticate": where})
    where += 'error="invalid_token", '
    return ServiceError(401, code, message, headers={"www-authenticate": f'{where}error_description="{message}"'})


def forbidden(denied: Denied, call: Call) -> ServiceError:
    """The caller's assignments do not allow the action."""
    client = f"The client '{call.caller.name}' with object id '{call.caller.id}'"
    deny = denied.decision.denied_by if denied.decision else None
    if deny is not None:
        where = f"{deny.scope.rstrip('/')}/providers/Microsoft.Authorization/denyAssignments/{deny.id}"
        return ServiceError(
            403, "DenyAssignmentAuthorizationFailed",
            f"{client} has permission to perform action '{denied.action}' on scope '{denied.scope}'; however, the "
            f"access is denied because of the deny assignment with name '{deny.name}' and Id "
            f"'{where}' at scope '{deny.scope}'.",
        )  # fmt: skip
    if denied.notes.get("linked"):
        return linked_forbidden(
            call, str(denied.notes["linked"]), call.path.rpartition("/")[0], [denied.scope], denied.action
        )
    condition = " or an ABAC condition not fulfilled" if denied.decision and denied.decision.condition_refused else ""
    return ServiceError(
        403, "AuthorizationFailed",
        f"{client} does not have authorization{condition} to perform action '{denied.action}' over scope "
        f"'{denied.scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
    )  # fmt: skip


def linked_forbidden(call: Call, action: str, scope: str, linked: list[str], there: str = "") -> ServiceError:
    """The caller lacks an action at a linked scope: an assignable scope of a role, the source of an import.

    Args:
        call: the request.
        action: what the caller may do at the scope.
        scope: what the request is about.
        linked: where it may not.
        there: what it may not do there; the same action unless given.
    """
    return ServiceError(
        403, "LinkedAuthorizationFailed",
        f"The client '{call.caller.name}' with object id '{call.caller.id}' has permission to perform "
        f"action '{action}' "
        f"on scope '{scope}'; however, it does not have permission to perform action '{there or action}' on the linked "
        f"scope(s) '{','.join(linked)}' or the linked scope(s) are invalid.",
    )  # fmt: skip


def not_found(call: Call) -> ServiceError:
    """Nothing is offered at this path."""
    found = re.search(r"/providers/([^/]+)/([^/]+)", call.path)
    if found:
        return ServiceError(
            404, "InvalidResourceType",
            f"The resource type '{found[2]}' could not be found in the namespace '{found[1]}' for api version "
            f"'{call.api_version}'. The supported api-versions are '{', '.join(versions.of(call.path)[1])}'.",
        )  # fmt: skip
    return ServiceError(404, "NotFound", f"No HTTP resource was found that matches the request URI '{call.path}'.")


def method_not_allowed(call: Call) -> ServiceError:
    """The path takes another method."""
    return ServiceError(
        405, "MethodNotAllowed", f"The requested resource does not support http method '{call.method}'."
    )


def malformed(message: str, call: Call) -> ServiceError:
    """The body is no JSON object."""
    return invalid_content(f"The request content was invalid and could not be deserialized: '{message}'.")


def invalid_content(message: str) -> ServiceError:
    """A member of the body has the wrong form."""
    return ServiceError(400, "InvalidRequestContent", message)


def unavailable(problem: StateError, call: Call) -> ServiceError:
    """The state cannot be used. What ARM says of a full disk is nowhere documented: status and code are ours."""
    status = status_of(problem)
    code = {507: "InsufficientStorage", 503: "ServiceUnavailable"}.get(status, "InternalServerError")
    return ServiceError(status, code, str(problem), headers=RETRY if status == 503 else None)


def unexpected(call: Call) -> ServiceError:
    """A fault of ours."""
    return ServiceError(
        500, "InternalServerError", f"The server encountered an internal error; correlation id {call.correlation_id}."
    )


def refuse(name: str, /, **values: object) -> ServiceError:
    """Return one of the refusals in texts.py, filled in.

    Args:
        name: a key of `TEXTS`.
        values: what its text names.
    """
    status, code, text = TEXTS[name]
    return ServiceError(status, code, text.format_map(values))


def no_subscription(subscription: str) -> ServiceError:
    """The subscription does not exist or the caller sees nothing of it."""
    return ServiceError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def no_group(group: str) -> ServiceError:
    """The resource group does not exist."""
    return ServiceError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def no_resource(kind: str, name: str, group: str) -> ServiceError:
    """The resource does not exist in its group."""
    return ServiceError(
        404, "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )  # fmt: skip


def no_provider(namespace: str) -> ServiceError:
    """The resource provider is not offered."""
    return ServiceError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")


def bad_group_name(name: str) -> ServiceError:
    """The resource group's name breaks the rules."""
    return ServiceError(
        400, "InvalidParameter",
        f"The provided resource group name '{name}' has these invalid characters or an invalid length. The name can "
        "only be letters, digits, '-', '.', '(', ')' or '_', at most 90 of them, and cannot end with '.'.",
    )  # fmt: skip


def location_required() -> ServiceError:
    """A new resource or group needs a location."""
    return ServiceError(400, "LocationRequired", "The location property is required for this definition.")


def no_such_location(location: str, kind: str | None = None) -> ServiceError:
    """The region is not offered."""
    known = ",".join(versions.locations())
    if kind is None:
        return ServiceError(
            400, "LocationNotAvailableForResourceGroup", f"The provided location '{location}' is not available for "
            f"resource group. List of available regions is '{known}'.",
        )  # fmt: skip
    return ServiceError(
        400, "LocationNotAvailableForResourceType", f"The provided location '{location}' is not available for resource "
        f"type '{kind}'. List of available regions for the resource type is '{known}'.",
    )  # fmt: skip


def group_elsewhere(wanted: str, actual: str) -> ServiceError:
    """A resource group cannot move."""
    return ServiceError(
        409, "InvalidResourceGroupLocation",
        f"Invalid resource group location '{wanted}'. The Resource group already exists in location '{actual}'.",
    )  # fmt: skip


def resource_elsewhere(name: str, group: str, wanted: str, actual: str) -> ServiceError:
    """A registry cannot move to another region."""
    return ServiceError(
        409, "InvalidResourceLocation",
        f"The resource '{name}' already exists in location '{actual}' in resource group '{group}'. A resource with the "
        f"same name cannot be created in location '{wanted}'. Please select a new resource name.",
    )  # fmt: skip


def name_in_use(login_server: str) -> ServiceError:
    """Another registry of the cloud has this name."""
    return ServiceError(
        409, "AlreadyInUse",
        f"The registry DNS name {login_server} is already in use. You can check if the name is already claimed using "
        "following API: https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability",
    )  # fmt: skip


BAD_NAME = (
    "The specified resource name is invalid: resource names must contain alpha numeric characters only and must be "
    "between 5 and 50 characters."
)


def bad_registry_name() -> ServiceError:
    """The registry's name breaks the rules."""
    return ServiceError(400, "InvalidResourceName", BAD_NAME)


def sku_not_supported(sku: str) -> ServiceError:
    """The SKU does not exist or lacks the feature (acr-content-trust-facts.md section 1, Not Premium)."""
    return ServiceError(400, "SkuNotSupported", f"The SKU {sku} is not supported.")


def downgrade_loses_trust(name: str, sku: str, repositories: int, tags: int) -> ServiceError:
    """Content trust must be disabled before a registry leaves Premium (M1); the choice of words is ours."""
    lost = f"{repositories} repositor{'y' if repositories == 1 else 'ies'} with {tags} signed tag{'s' * (tags != 1)}"
    return ServiceError(
        400, "SkuNotSupported",
        f"The SKU {sku} is not supported while content trust is enabled on the registry {name}: the trust data of "
        f"{lost} would be lost. Disable content trust first, which deletes "
        f"it for good: az acr config content-trust update --registry {name} --status disabled",
    )  # fmt: skip


def trust_retired() -> ServiceError:
    """Content trust can no longer be enabled (M5)."""
    return ServiceError(
        400, "ContentTrustUnsupported",
        "The value 'enabled' for property 'status' in 'trustPolicy' is not supported. Content Trust "
        "is being deprecated "
        "and will be completely removed on March 31, 2028. Refer to https://aka.ms/acr/dctdeprecation for details and "
        "transition guidance.",
    )  # fmt: skip


def bad_policy(policy: str, member: str, value: object, allowed: str) -> ServiceError:
    """A policy's member has a value that is not offered."""
    return ServiceError(
        400, "InvalidPolicyValue",
        f"The value '{value}' for property '{member}' in '{policy}' is not supported. Allowed values: {allowed}.",
    )  # fmt: skip


def admin_disabled(name: str) -> ServiceError:
    """The admin account has no credentials while it is disabled."""
    return ServiceError(
        400, "UnAuthorizedForCredentialOperations",
        f"Unable to perform credential operations on the registry '{name}': the admin user is disabled.",
    )  # fmt: skip


def bad_format() -> ServiceError:
    """The body of an authorization request is wrong."""
    return ServiceError(400, "BadRequestFormat", "The request was incorrectly formatted.")


def no_role(guid: str) -> ServiceError:
    """The role definition does not exist at this scope."""
    return ServiceError(
        404, "RoleDefinitionDoesNotExist",
        f"The specified role definition with ID '{guid.replace('-', '')}' does not exist.",
    )  # fmt: skip


def authorization(status: int, code: str, message: str) -> ServiceError:
    """An error of Microsoft.Authorization whose text is fixed; `AUTHORIZATION` lists them."""
    return ServiceError(status, code, message)


AUTHORIZATION = {
    "exists": (409, "RoleAssignmentExists", "The role assignment already exists."),
    "update": (400, "RoleAssignmentUpdateNotPermitted",
               "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."),
    "limit": (400, "RoleAssignmentLimitExceeded", "No more role assignments can be created"),
    "last": (400, "CannotDeleteLastRbacAdminAssignment", "Cannot delete the last RBAC admin assignment"),
    "same name": (409, "RoleDefinitionWithSameNameExists",
                  "A role definition cannot be updated with a name that already exists."),
    "has assignments": (400, "RoleDefinitionHasAssignments", "There are existing role assignments referencing role."),
    "built in": (400, "CannotUpdateBuiltInRole", "Built-in role definitions cannot be changed or deleted."),
    "data at management group": (
        400, "RoleAssignmentWithDataActionsAtManagementGroup",
        "Custom roles with data actions cannot be assigned at the management group scope."),
}  # fmt: skip


def fixed(name: str) -> ServiceError:
    """Return one of the errors in `AUTHORIZATION`."""
    return authorization(*AUTHORIZATION[name])


def no_principal(principal_id: str, tenant: str) -> ServiceError:
    """The principal is not in the directory; az retries while it reads these words."""
    return ServiceError(
        400, "PrincipalNotFound",
        f"Principal {principal_id.replace('-', '')} does not exist in the directory {tenant}. Check that you have the "
        "correct principal ID. If you are creating this principal and then immediately assigning a role, this error "
        "might be related to a replication delay. In this case, set the role assignment principalType property to a "
        "value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
    )  # fmt: skip


def wrong_principal_type(principal_id: str, actual: str, given: str) -> ServiceError:
    """The principalType given is not the principal's; spelled as the service does."""
    return ServiceError(
        400, "UnmatchedPrincipalType",
        f"The PrincipalId '{principal_id.replace('-', '')}' has type '{actual}' , which is different from specified "
        f"PrinciaplType '{given}'.",
    )  # fmt: skip


def bad_principal_id(text: str) -> ServiceError:
    """A principal id is a GUID."""
    return ServiceError(
        400, "InvalidPrincipalId", f"The Principal ID '{text}' is not valid. Principal ID must be a GUID."
    )


def bad_role_id(text: str) -> ServiceError:
    """The role definition id is no id."""
    return ServiceError(400, "InvalidRoleDefinitionId", f"The role definition ID '{text}' is not valid.")


def bad_assignment_id(text: str) -> ServiceError:
    """A role assignment's name is a GUID."""
    return ServiceError(
        400,
        "InvalidRoleAssignmentId",
        f"The role assignment ID '{text}' is not valid. The role assignment ID must be a GUID.",
    )


def no_assignment(name: str) -> ServiceError:
    """The role assignment does not exist."""
    return ServiceError(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")


def bad_condition(message: str) -> ServiceError:
    """The condition cannot be read."""
    return ServiceError(400, "InvalidConditionOrConditionVersion", f"The condition is not valid: {message}")


def bad_action(action: str, data: bool) -> ServiceError:
    """A custom role names an action that no provider has."""
    code = "InvalidDataActionOrNotDataAction" if data else "InvalidActionOrNotAction"
    return ServiceError(400, code, f"'{action}' does not match any of the actions supported by the providers.")


def bad_definition(message: str) -> ServiceError:
    """A custom role breaks a rule of its form."""
    return ServiceError(400, "InvalidRoleDefinition", message)


def bad_filter(text: str) -> ServiceError:
    """The $filter is none of the forms offered."""
    return ServiceError(400, "UnsupportedQuery", f"The filter '{text}' is not supported.")
