"""Graph's refusals: codes and texts (az-wire-contract.md section 6, real-responses.md section 5)."""

from __future__ import annotations

import base64
import json

from azext_trust.server.gate.authorise import Denied
from azext_trust.server.gate.call import RETRY, Call, Reply, ServiceError, status_of
from azext_trust.server.store.errors import StateError

MEDIA = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


def headers(call: Call) -> dict[str, str]:
    """Return the headers of every Graph answer."""
    server = {"ServerInfo": {"DataCenter": "Local", "Slice": "E", "Ring": "1", "ScaleUnit": "000", "RoleInstance": "0"}}
    return {
        "cache-control": "no-cache", "strict-transport-security": "max-age=31536000", "request-id": call.request_id,
        "client-request-id": call.headers.get("client-request-id") or call.request_id, "odata-version": "4.0",
        "x-ms-ags-diagnostic": json.dumps(server, separators=(",", ":")), "x-ms-resource-unit": "1",
    }  # fmt: skip


def render(error: ServiceError, call: Call) -> Reply:
    """Return an error in Graph's shape."""
    inner = {
        "date": call.now().strftime("%Y-%m-%dT%H:%M:%S"), "request-id": call.request_id,
        "client-request-id": call.headers.get("client-request-id") or call.request_id,
    }  # fmt: skip
    body = {"error": {"code": error.code, "message": error.message, **error.extra, "innerError": inner}}
    return Reply(body, error.status, {**headers(call), **error.headers}, "application/json")


def unauthenticated(problem: str, call: Call) -> ServiceError:
    """The token is missing or not good here."""
    message = {
        "missing": "Access token is empty.",
        "expired": "Lifetime validation failed, the token is expired.",
        "audience": "Access token validation failure. Invalid audience.",
        "revoked": "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
                   "TokenIssuedBeforeRevocationTimestamp",
    }.get(problem, "CompactToken validation failed with reason code: 80049228.")  # fmt: skip
    where = f'Bearer realm="", authorization_uri="{call.settings.login_endpoint}/common/oauth2/authorize"'
    if call.challenge:
        claims = base64.b64encode(call.challenge.encode()).decode()
        where += f', error="insufficient_claims", claims="{claims}"'
    return ServiceError(401, "InvalidAuthenticationToken", message, headers={"www-authenticate": where})


def forbidden(denied: Denied, call: Call) -> ServiceError:
    """The caller's directory roles do not allow it."""
    return ServiceError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def not_found(call: Call) -> ServiceError:
    """There is no such segment."""
    segment = call.path.rstrip("/").rpartition("/")[2]
    return ServiceError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def method_not_allowed(call: Call) -> ServiceError:
    """The path takes another method."""
    return ServiceError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


def malformed(message: str, call: Call) -> ServiceError:
    """The body is no JSON object."""
    return ServiceError(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is "
                        "set and payload is of valid JSON format.")  # fmt: skip


def unavailable(problem: StateError, call: Call) -> ServiceError:
    """The state cannot be used; the codes are those of Graph's error reference."""
    status = status_of(problem)
    code = {507: "quotaLimitReached", 503: "serviceNotAvailable"}.get(status, "Service_InternalServerError")
    return ServiceError(status, code, str(problem), headers=RETRY if status == 503 else None)


def unexpected(call: Call) -> ServiceError:
    """A fault of ours."""
    return ServiceError(500, "Service_InternalServerError", "Encountered an internal server error.")


def no_object(name: str) -> ServiceError:
    """The directory has no such object."""
    return ServiceError(
        404, "Request_ResourceNotFound",
        f"Resource '{name}' does not exist or one of its queried reference-property objects are not present.",
    )  # fmt: skip


def bad_request(message: str) -> ServiceError:
    """A member or parameter is wrong."""
    return ServiceError(400, "Request_BadRequest", message)


def bad_filter(reason: str) -> ServiceError:
    """The $filter cannot be read."""
    return ServiceError(400, "BadRequest", f"Invalid filter clause: {reason}")


def taken(name: str) -> ServiceError:
    """Another object has this value."""
    return ServiceError(
        400, "Request_BadRequest", f"Another object with the same value for property {name} already exists.",
        details=[{"code": "ObjectConflict", "target": name, "message": "The value is in use."}],
    )  # fmt: skip


def conflict(message: str) -> ServiceError:
    """The object exists already."""
    return ServiceError(409, "Request_MultipleObjectsWithSameKeyValue", message)


def wrong_domain() -> ServiceError:
    """A user's domain must be verified in the tenant."""
    return bad_request(
        "The domain portion of the userPrincipalName property is invalid. You must use one of the "
        "verified domain names "
        "in your organization."
    )


def already_member(name: str) -> ServiceError:
    """The reference is there already."""
    return bad_request(
        f"One or more added object references already exist for the following modified properties: '{name}'."
    )


def delegated_only() -> ServiceError:
    """/me belongs to users."""
    return ServiceError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
