"""How imports fail: status, code and text as the operation's poller gets them.

"Operation <id> failed. Resource <id> " stands in front of each text (arm/import_errors.py). Texts as quoted in Azure/acr
issues 181 (source refuses), 422 (no such manifest), 571 (no access) and 632 (blobs); that an existing tag is a Conflict
is seen with az 2.91. Codes that are not quoted there are `CODE`.
"""

from __future__ import annotations

import json

CODE = "InvalidParameters"
MOST_MANIFESTS = 50
"""The documented limit of an imported image (Import container images, Limitations)."""
_NAMES = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "429", 500: "InternalServerError",
          502: "BadGateway", 503: "ServiceUnavailable"}  # fmt: skip


class Failed(Exception):
    """An import cannot go on.

    Args:
        status: HTTP status of the answer to whoever asks how it ended.
        code: the error's code.
        message: its text, from behind the resource's id.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def refused(status: int, reason: str, body: bytes) -> Failed:
    """The source answered with an error; its body is repeated only when it is a registry's error."""
    text = ""
    try:
        found = json.loads(body)
        if isinstance(found, dict) and isinstance(found.get("errors"), list):
            text = json.dumps({"errors": found["errors"]}, separators=(",", ":"))[:2000]
    except (ValueError, RecursionError):
        pass
    name = _NAMES.get(status, str(status))
    return Failed(400, CODE, f"Invalid message {name} {reason} {text}".strip())


def unreachable(address: str, error: Exception) -> Failed:
    """The source does not answer; the text is ours."""
    # urllib3's own text repeats addresses and objects; its cause is enough.
    cause = getattr(error.args[0], "reason", error) if error.args else error
    text = str(cause).rpartition("object at ")[2].partition(": ")[2] or str(cause)
    return Failed(400, CODE, f"Cannot reach the source registry {address}: {text[:300]}")


def no_manifest(repository: str, reference: str) -> Failed:
    """A registry of this cloud holds no such image."""
    tag, digest = ("", reference) if ":" in reference else (reference, "")
    return Failed(400, CODE, f"Unable to find manifest digest  Repo: {repository} Tag: {tag} Manifest: {digest}")


def tag_exists(repository: str, tag: str) -> Failed:
    """The target tag is there, and may not be moved."""
    return Failed(409, "Conflict", f"Tag {repository}:{tag} already exists in target registry.")


def no_access(host: str) -> Failed:
    """The source registry of this cloud gives the image to nobody with these credentials."""
    return Failed(400, CODE, f"Access to {host} denied.")


def copying(reason: str) -> Failed:
    """Content cannot be copied."""
    return Failed(400, CODE, f"Error copying blobs. {reason}")


def too_many() -> Failed:
    """The image holds more manifests than an import takes."""
    return Failed(400, CODE, f"The image holds more than {MOST_MANIFESTS} manifests.")


def exports_off(host: str) -> Failed:
    """The source registry's export policy keeps images in it; the text is ours."""
    return Failed(400, CODE, f"The registry {host} has exports disabled.")


def gone() -> Failed:
    """The target registry was deleted meanwhile."""
    return Failed(404, "ResourceNotFound", "The registry was deleted while the image was imported.")


def locked(repository: str) -> Failed:
    """A lock or the storage limit of the target forbids it."""
    return Failed(
        405, "REGISTRY_DISALLOWED_OPERATION",
        f"The operation is disallowed on this registry, repository or image: {repository}.",
    )  # fmt: skip


def given_up() -> Failed:
    """It did not end within a day."""
    return Failed(408, "OperationTimedOut", "The image was not imported in time.")


def interrupted() -> Failed:
    """Whoever waited for it gave up: an embedded cloud imports within the command."""
    return Failed(400, CODE, "The import was interrupted.")


def unexpected(correlation_id: str) -> Failed:
    """A fault of ours."""
    return Failed(500, "InternalServerError", f"The import failed; correlation id {correlation_id}.")
