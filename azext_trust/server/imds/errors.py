"""The refusals of the instance metadata service.

Sources: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling,
answers quoted in public issues of Azure SDKs; the texts for a forwarded request and an unknown path are ours.
"""

from __future__ import annotations

from azext_trust.server.gate.authorise import Denied
from azext_trust.server.gate.call import RETRY, Call, Reply, ServiceError, status_of
from azext_trust.server.gate.route import Route
from azext_trust.server.store.errors import StateError

VERSIONS = ("2018-02-01", "2019-02-01", "2019-11-01", "2020-06-01", "2021-02-01", "2023-07-01", "2025-04-07")


def render(error: ServiceError, call: Call) -> Reply:
    """Return an error in the service's shape."""
    body: dict[str, object] = {"error": error.code, **error.extra}
    if error.message:
        body["error_description"] = error.message
    return Reply(body, error.status, {"x-ms-request-id": call.request_id, **error.headers})


def before(call: Call, row: Route) -> None:
    """Refuse what no program on this machine would send: a page in a browser cannot set this header.

    Raises:
        ServiceError: the header is missing, the request was forwarded, or the version is unknown.
    """
    if "x-forwarded-for" in call.headers:
        raise ServiceError(400, "bad_request_102", "Requests that were forwarded (X-Forwarded-For) are not answered")
    if call.headers.get("metadata", "").lower() != "true":
        raise ServiceError(400, "bad_request_102", "Required metadata header not specified")
    if not row.path.endswith("/versions") and call.api_version not in VERSIONS:
        text = "Bad request. api-version is invalid or was not specified in the request."
        refused = ServiceError(400, text, "")
        refused.extra["newest-versions"] = list(VERSIONS[:-4:-1])
        raise refused


def no_resource() -> ServiceError:
    """The request does not say what the token is for."""
    return ServiceError(400, "invalid_request", "Required audience parameter not specified")


def no_such_resource(resource: str, tenant: str) -> ServiceError:
    """There is no such service."""
    return ServiceError(
        400, "invalid_resource", f"AADSTS500011: The resource principal named {resource[:256]} was not found in the "
        f"tenant named {tenant}. This can happen if the application has not been installed by the administrator of the "
        "tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong "
        "tenant.",
    )  # fmt: skip


def no_identity() -> ServiceError:
    """No managed identity fits what was asked, or there is none."""
    return ServiceError(400, "invalid_request", "Identity not found")


def several() -> ServiceError:
    """The request does not say which of several identities it means."""
    return ServiceError(
        400, "invalid_request", "Multiple user assigned identities exist, please specify the clientId / resourceId of "
        "the identity in the token request",
    )  # fmt: skip


def unauthenticated(problem: str, call: Call) -> ServiceError:
    """No row here asks for a token."""
    return ServiceError(401, "unauthorized_client", "")


def forbidden(denied: Denied, call: Call) -> ServiceError:
    """No row here asks for an action."""
    return ServiceError(403, "access_denied", "")


def not_found(call: Call) -> ServiceError:
    """There is no such path: of a machine's metadata only its identities are here."""
    return ServiceError(404, "Not found", "")


def method_not_allowed(call: Call) -> ServiceError:
    """Only GET is offered."""
    return ServiceError(405, "Method not allowed", "", headers={"allow": "GET"})


def malformed(message: str, call: Call) -> ServiceError:
    """The request cannot be read."""
    return ServiceError(400, "invalid_request", "Invalid request")


def unavailable(problem: StateError, call: Call) -> ServiceError:
    """The state cannot be used."""
    status = status_of(problem)
    return ServiceError(status, "unknown", str(problem), headers=RETRY if status == 503 else {})


def unexpected(call: Call) -> ServiceError:
    """A fault of ours."""
    return ServiceError(500, "unknown", "Failed to retrieve token from the Active directory.")
