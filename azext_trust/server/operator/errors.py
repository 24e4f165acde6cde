"""The operator service's refusals, in ARM's shape."""

from __future__ import annotations

from azext_trust.server.gate.authorise import Denied
from azext_trust.server.gate.call import RETRY, Call, Reply, ServiceError, status_of
from azext_trust.server.store.errors import StateError


class SeedError(Exception):
    """The seed cannot be applied; the message names the place."""


def render(error: ServiceError, call: Call) -> Reply:
    """Return an error as the client sees it."""
    body = {"error": {"code": error.code, "message": error.message, **error.extra}}
    return Reply(body, error.status, {"x-ms-correlation-request-id": call.correlation_id, **error.headers})


def unauthenticated(problem: str, call: Call) -> ServiceError:
    """The operator key or token is missing or not good here."""
    messages = {
        "missing": "The operator key or an access token is needed in the 'Authorization' header.",
        "expired": "The access token has expired.",
    }
    message = messages.get(problem, "The operator key or access token is not valid here.")
    return ServiceError(401, "AuthenticationFailed", message, headers={"www-authenticate": "Bearer"})


def forbidden(denied: Denied, call: Call) -> ServiceError:
    """The caller's assignments do not allow it."""
    return ServiceError(
        403, "AuthorizationFailed",
        f"The client '{call.caller.name}' with object id '{call.caller.id}' does not have authorization to perform "
        f"action '{denied.action}' over scope '{denied.scope}' or the scope is invalid. If access was recently "
        "granted, please refresh your credentials.",
    )  # fmt: skip


def not_found(call: Call) -> ServiceError:
    """There is no such operation."""
    return ServiceError(404, "NotFound", f"The operator service has nothing at {call.path}.")


def method_not_allowed(call: Call) -> ServiceError:
    """The path exists with another method."""
    return ServiceError(405, "MethodNotAllowed", f"{call.method} is not offered at {call.path}.")


def malformed(message: str, call: Call) -> ServiceError:
    """The body cannot be read."""
    return ServiceError(400, "InvalidRequestContent", f"The request content was invalid: {message}")


def bad_value(member: str, message: str) -> ServiceError:
    """A member of the body has a value that is not offered."""
    return ServiceError(400, "InvalidParameter", message, target=member)


def no_such_registry(scope: str) -> ServiceError:
    """The registry asked about does not exist."""
    return ServiceError(404, "ResourceNotFound", f"The registry '{scope}' was not found.")


def not_there(message: str) -> ServiceError:
    """What a question is about does not exist."""
    return ServiceError(404, "ResourceNotFound", message)


def seed_refused(message: str) -> ServiceError:
    """The seed file is wrong."""
    return ServiceError(400, "InvalidSeed", message)


def unavailable(problem: StateError, call: Call) -> ServiceError:
    """The state cannot be used."""
    status = status_of(problem)
    code = {507: "InsufficientStorage", 503: "ServiceUnavailable"}.get(status, "InternalServerError")
    return ServiceError(status, code, str(problem), headers=RETRY if status == 503 else None)


def unexpected(call: Call) -> ServiceError:
    """A fault of ours."""
    return ServiceError(500, "InternalServerError", f"An unexpected failure; correlation id {call.correlation_id}.")
