"""How a Notary server can fail its client. `str()` is what docker or notary would show.

RemoteError                  the server did not do what was asked
├── NoTrustData              404: it has nothing under this name
├── NotAuthorized            401: the caller may not
├── Unavailable              cannot be reached, or any other status
├── Rejected                 400: the upload is refused; the text of the role that is at fault
└── Conflict                 400 VERSION: somebody else published first; nothing was changed
"""

from __future__ import annotations

from azext_trust.cloud.errors import CloudError


class RemoteError(CloudError):
    """The server did not do what was asked."""


class NoTrustData(RemoteError):
    """The server has nothing under this name.

    Args:
        resource: what was asked for: ``root``, ``2.root``, ``timestamp key``.
    """

    def __init__(self, resource: str) -> None:
        super().__init__(f"{resource} trust data unavailable.  Has a notary repository been initialized?")
        self.resource = resource


class NotAuthorized(RemoteError):
    """The caller may not do this."""

    def __init__(self) -> None:
        super().__init__("you are not authorized to perform this operation: server returned 401.")


class Unavailable(RemoteError):
    """The server cannot be reached, or answers with another status.

    Args:
        status: the HTTP status; 0 when there was no answer.
        cause: why there was no answer.
    """

    def __init__(self, status: int, cause: str = "") -> None:
        super().__init__(f"unable to reach trust server at this time: {status}." if status else cause)
        self.status = status


class Rejected(RemoteError):
    """The server refuses an upload.

    Args:
        code: its error code.
        name: for INVALID_UPDATE the kind, ``ErrBadTargets``...
        message: its text.
    """

    def __init__(self, code: str, name: str = "", message: str = "") -> None:
        super().__init__(f"{_KINDS[name]}: {message}" if name in _KINDS else "trust server rejected operation.")
        self.code = code
        self.name = name


_KINDS = {
    "ErrBadRoot": "The root metadata is invalid", "ErrBadTargets": "The targets metadata is invalid",
    "ErrBadSnapshot": "The snapshot metadata is invalid", "ErrBadHierarchy": "Metadata hierarchy is incomplete",
    "ErrValidation": "An error occurred during validation",
}  # fmt: skip
"""What notary puts before the server's text (notary tuf/validation/errors.go)."""


class Conflict(RemoteError):
    """Somebody else published first."""

    def __init__(self) -> None:
        super().__init__("trust server rejected operation. Somebody else published first: try again.")
