"""The registry's refusals: codes and texts of OCI Distribution 1.1, and those of Azure where they are known.

Sources: real-responses.md section 3; Azure/acr issues 522, 561 and acr-cli issue 70; azure-docs issue 90060.
"""

from __future__ import annotations

from azext_trust.names import images
from azext_trust.server.gate.authorise import Denied
from azext_trust.server.gate.call import RETRY, Call, Reply, ServiceError, status_of
from azext_trust.server.gate.login_servers import RegistryCall, Scope
from azext_trust.server.gate.route import Route
from azext_trust.server.store.errors import StateError

HEADERS = {
    "server": "openresty", "docker-distribution-api-version": "registry/2.0",
    "strict-transport-security": "max-age=31536000; includeSubDomains", "x-content-type-options": "nosniff",
    "access-control-expose-headers": "Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id",
}  # fmt: skip
"""Headers of every answer of a login server."""


def render(error: ServiceError, call: Call) -> Reply:
    """Return an error in the specification's shape, with a line feed at the end as the service sends it."""
    import json

    body = {"errors": [{"code": error.code, "message": error.message, "detail": error.extra.get("detail")}]}
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False) + "\n"
    sent = {**HEADERS, "x-ms-correlation-request-id": call.correlation_id, **error.headers}
    return Reply(text.encode(), error.status, sent, "application/json; charset=utf-8")


def before(call: Call, row: Route) -> None:
    """Check the names in a path.

    Raises:
        ServiceError: the repository, reference or digest cannot be one.
    """
    name = call.params.get("name")
    if name is not None and not images.valid_repository(name):
        raise ServiceError(400, "NAME_INVALID", "invalid repository name", detail={"name": name})
    digest = call.params.get("digest")
    if digest is not None and not images.valid_digest(digest):
        raise digest_invalid(digest)
    reference = call.params.get("reference")
    if reference is not None and not images.valid_tag(reference) and not images.valid_digest(reference):
        raise digest_invalid(reference) if ":" in reference else tag_invalid(reference)
    tag = call.params.get("tag")
    if tag is not None and not images.valid_tag(tag):
        raise tag_invalid(tag)


_REQUIRED = "authentication required, visit https://aka.ms/acr/authorization for more information."


def _detail(scope: Scope) -> list[dict[str, str]]:
    return [{"Type": scope.kind, "Name": scope.name, "Action": action} for action in scope.actions]


def _challenge(call: Call, error: str) -> dict[str, str]:
    assert isinstance(call, RegistryCall)
    # az splits this at spaces, then at commas: none may follow a comma (az-wire-contract.md section 0, row 10).
    text = f'Bearer realm="https://{call.origin}/oauth2/token",service="{call.origin}"'
    if call.need is not None:
        scope = call.need.scope
        text += f',scope="{scope.kind}:{scope.name}:{",".join(scope.actions)}"'
    return {"www-authenticate": text + (f',error="{error}"' if error else "")}


def unauthenticated(problem: str, call: Call) -> ServiceError:
    """No token, or one that is not good here."""
    assert isinstance(call, RegistryCall)
    detail = _detail(call.need.scope) if call.need is not None else None
    error = "" if problem == "missing" else "invalid_token"
    return ServiceError(401, "UNAUTHORIZED", _REQUIRED, headers=_challenge(call, error), detail=detail)


def forbidden(denied: Denied, call: Call) -> ServiceError:
    """The token does not carry what is needed: a challenge, so that docker says ``denied`` and others ask again."""
    assert isinstance(call, RegistryCall)
    assert call.need is not None
    challenge = _challenge(call, "insufficient_scope")
    return ServiceError(401, "UNAUTHORIZED", _REQUIRED, headers=challenge, detail=_detail(call.need.scope))


def sign_in_refused(reason: str) -> ServiceError:
    """Name or password, or the token shown instead, is not good here."""
    told = reason if reason.startswith("aad access token") else _REQUIRED
    return ServiceError(401, "UNAUTHORIZED", told, detail=None)


def not_found(call: Call) -> ServiceError:
    """There is no such path."""
    return ServiceError(404, "NOT_FOUND", "page not found")


def method_not_allowed(call: Call) -> ServiceError:
    """The path takes another method."""
    return unsupported()


def unsupported() -> ServiceError:
    """The operation is not offered."""
    return ServiceError(405, "UNSUPPORTED", "The operation is unsupported.")


def malformed(message: str, call: Call) -> ServiceError:
    """The body cannot be read."""
    return ServiceError(400, "MALFORMED_REQUEST", f"the request cannot be read: {message}")


def unavailable(problem: StateError, call: Call) -> ServiceError:
    """The state cannot be read or written; the specification has no code for that."""
    status = status_of(problem)
    return ServiceError(status, "UNKNOWN", str(problem), headers=RETRY if status == 503 else None)


def unexpected(call: Call) -> ServiceError:
    """A fault of ours."""
    return ServiceError(500, "UNKNOWN", f"unknown error; correlation id {call.correlation_id}")


def bad_request(message: str) -> ServiceError:
    """A form field or query member is missing or wrong."""
    return ServiceError(400, "BAD_REQUEST", message)


def too_large(call: Call) -> ServiceError:
    """The body is larger than a manifest may be."""
    return ServiceError(413, "SIZE_INVALID", "manifest exceeds the limit of 4 MiB")


def disallowed() -> ServiceError:
    """A lock or the storage limit forbids it."""
    return ServiceError(
        405, "REGISTRY_DISALLOWED_OPERATION",
        "The operation is disallowed on this registry, repository or image. View troubleshooting steps at "
        "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation", detail={},
    )  # fmt: skip


def quarantined() -> ServiceError:
    """The image has not passed quarantine."""
    return ServiceError(405, "IMAGE_QUARANTINED", "The image is quarantined.", detail={})


def no_repository(name: str) -> ServiceError:
    """The registry has no such repository."""
    return ServiceError(404, "NAME_UNKNOWN", "repository name not known to registry", detail={"name": name})


def no_manifest(reference: str) -> ServiceError:
    """No manifest has this tag or digest."""
    if ":" in reference:
        message, detail = f"manifest {reference} is not found", {"Revision": reference}
    else:
        message, detail = f'manifest tagged by "{reference}" is not found', {"Tag": reference}
    return ServiceError(404, "MANIFEST_UNKNOWN", message, detail=detail)


def no_tag(name: str) -> ServiceError:
    """The data API finds no such tag; the text is ours."""
    return ServiceError(404, "TAG_UNKNOWN", "the specified tag does not exist", detail={"name": name})


def tag_taken(name: str) -> ServiceError:
    """A restored manifest would move a live tag; the text is ours."""
    return ServiceError(
        409, "TAG_CONFLICT", "the tag exists already; restore with force to move it", detail={"name": name}
    )


def no_blob(digest: str) -> ServiceError:
    """The repository holds no such blob."""
    return ServiceError(404, "BLOB_UNKNOWN", "blob unknown to registry", detail={"digest": digest})


def no_upload() -> ServiceError:
    """There is no such upload, or it is over."""
    return ServiceError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")


def upload_invalid(message: str, status: int = 400) -> ServiceError:
    """The upload cannot go on like this."""
    return ServiceError(status, "BLOB_UPLOAD_INVALID", message)


def out_of_order(location: str, received: int) -> ServiceError:
    """A chunk does not begin where the upload ends (OCI Distribution 1.1, Pushing a blob in chunks)."""
    headers = {"location": location, "range": f"0-{max(received - 1, 0)}"}
    return ServiceError(416, "RANGE_INVALID", "invalid content range", headers=headers)


def range_invalid(size: int) -> ServiceError:
    """The range asked for lies beyond the blob's end (RFC 9110 section 15.5.17)."""
    return ServiceError(416, "RANGE_INVALID", "invalid content range", headers={"content-range": f"bytes */{size}"})


def size_invalid() -> ServiceError:
    """Fewer or more bytes came than were announced."""
    return ServiceError(400, "SIZE_INVALID", "provided length did not match content length")


def digest_invalid(digest: str) -> ServiceError:
    """The digest is none, of an algorithm that is not offered, or not that of the content."""
    return ServiceError(
        400, "DIGEST_INVALID", "provided digest did not match uploaded content", detail={"digest": digest}
    )


def tag_invalid(tag: str) -> ServiceError:
    """The reference can be no tag."""
    return ServiceError(400, "TAG_INVALID", "manifest tag did not match URI", detail={"tag": tag})


def manifest_invalid(reason: str) -> ServiceError:
    """The manifest does not follow its media type's specification."""
    return ServiceError(400, "MANIFEST_INVALID", "manifest invalid", detail={"reason": reason})


def manifest_blob_unknown(digest: str) -> ServiceError:
    """The manifest refers to a blob or manifest that the repository does not hold."""
    return ServiceError(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", detail={"digest": digest})


def bad_count() -> ServiceError:
    """``n`` is no number of entries."""
    return ServiceError(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", detail={"n": "n"})


def storage_full() -> ServiceError:
    """The disk or object store takes no more."""
    return ServiceError(507, "UNKNOWN", "the registry's storage is full or cannot be reached")
