"""The Notary server's refusals: codes and texts of notary 0.7 (dct-wire-contract.md section 4.1)."""

from __future__ import annotations

import json
from functools import lru_cache

from azext_trust.server.gate.authorise import Denied
from azext_trust.server.gate.call import RETRY, Call, Reply, ServiceError, status_of
from azext_trust.server.gate.route import RouteTable
from azext_trust.server.store.errors import StateError
from azext_trust.tuf.publish import Refused

MOST = 128 * 1024 * 1024
"""Largest upload in bytes: clients read at most 100 MiB of one file (dct-wire-contract.md section 4.1)."""
_TEXTS = {
    "MALFORMED_UPLOAD": "The body of your request is malformed.",
    "MALFORMED_JSON": "JSON sent by the client could not be parsed by the server",
    "NO_FILENAME": "No file/role name provided.",
    "INVALID_ROLE": "The role you are attempting to operate on is invalid.",
    "INVALID_UPDATE": "Update sent by the client is invalid.",
    "VERSION": "A newer version of metadata is already available.",
    "INVALID_PARAMETERS": "The parameters provided are not valid.",
    "METADATA_NOT_FOUND": "You have requested metadata that does not exist.",
    "UNAUTHORIZED": "authentication required",
    "UNSUPPORTED": "The operation is unsupported.",
    "SIZE_INVALID": "The body of your request is too large.",
    "UNKNOWN": "unknown error",
}


def _error(status: int, code: str, **extra: object) -> ServiceError:
    headers = extra.pop("headers", None)
    return ServiceError(status, code, _TEXTS[code], headers=headers, **extra)  # type: ignore[arg-type]


def render(error: ServiceError, call: Call) -> Reply:
    """Return an error as the client sees it: one line of JSON."""
    one: dict[str, object] = {"code": error.code, "message": error.message}
    if "detail" in error.extra:
        one["detail"] = error.extra["detail"]
    text = json.dumps({"errors": [one]}, separators=(",", ":"), ensure_ascii=False) + "\n"
    return Reply(text.encode(), error.status, dict(error.headers), "application/json; charset=utf-8")


# Who may not. docker shows its own text for 401 and none for 403: lacking rights are 401 too (rule 10).


def unauthenticated(problem: str, call: Call) -> ServiceError:
    """No token, or one that is not good here."""
    return _challenged(call, "" if problem == "missing" else "invalid_token")


def forbidden(denied: Denied, call: Call) -> ServiceError:
    """The token does not carry what is needed."""
    return _challenged(call, "insufficient_scope")


@lru_cache(maxsize=1)
def _table() -> RouteTable:
    from azext_trust.server.notary.routes import ROUTES

    return RouteTable(ROUTES)


def _challenged(call: Call, error: str) -> ServiceError:
    row, params, _ = _table().match(call.method, call.path)
    action = (row.action if row else "registry:catalog:*").partition("|")[0]
    kind, _, rest = action.partition(":")
    name, _, actions = rest.rpartition(":")
    name = name.replace("{gun}", params.get("gun", ""))
    host = call.headers.get("host", "").lower()
    text = f'Bearer realm="https://{host}/oauth2/token",service="{host}",scope="{kind}:{name}:{actions}"'
    headers = {"www-authenticate": text + (f',error="{error}"' if error else "")}
    detail = [{"Type": kind, "Class": "", "Name": name, "Action": one} for one in actions.split(",")]
    return _error(401, "UNAUTHORIZED", headers=headers, detail=detail)


# What there is not


def not_found(call: Call) -> ServiceError:
    """There is no such metadata, path or repository."""
    return _error(404, "METADATA_NOT_FOUND", detail={})


def method_not_allowed(call: Call) -> ServiceError:
    """The path takes another method: for the reference there is nothing."""
    return not_found(call)


def off() -> ServiceError:
    """Content trust is not on at this registry (acr-content-trust-facts.md section 4)."""
    return _error(405, "UNSUPPORTED")


# What is wrong with a request


def refused(refusal: Refused) -> ServiceError:
    """An upload is refused."""
    if refusal.code == "INVALID_UPDATE":
        missing = {"Missing": refusal.missing} if refusal.missing else {}
        detail = {"Name": refusal.name, "Error": {**missing, "Msg": refusal.message}}
        return _error(400, "INVALID_UPDATE", detail=detail)
    if refusal.code == "INVALID_ROLE":
        return _error(400, "INVALID_ROLE", detail=refusal.message)
    if refusal.code == "VERSION":
        return _error(400, "VERSION", detail={})
    return _error(400, refusal.code)


def malformed(message: str, call: Call) -> ServiceError:
    """The body is no multipart form."""
    return _error(400, "MALFORMED_UPLOAD")


def no_filename() -> ServiceError:
    """A part has no file name."""
    return _error(400, "NO_FILENAME")


def invalid_parameters(detail: str) -> ServiceError:
    """A query member is missing or no number."""
    return _error(400, "INVALID_PARAMETERS", detail=detail)


def too_large(call: Call) -> ServiceError:
    """The body is larger than the cloud takes."""
    return _error(413, "SIZE_INVALID")


def unavailable(problem: StateError, call: Call) -> ServiceError:
    """The state cannot be read or written."""
    status = status_of(problem)
    return _error(status, "UNKNOWN", detail=str(problem), headers=RETRY if status == 503 else None)


def unexpected(call: Call) -> ServiceError:
    """A fault of ours."""
    return _error(500, "UNKNOWN", detail={"correlationId": call.correlation_id})
