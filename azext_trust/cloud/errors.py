"""What goes wrong between a command and a cloud."""

from __future__ import annotations


class CloudError(Exception):
    """A failure with a text for the user.

    Args:
        message: one line, then perhaps a hint.
        exit_code: the process's exit code.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class NotSignedIn(CloudError):
    """No account is signed in to this cloud."""

    def __init__(self) -> None:
        super().__init__("Please run 'aztrust login' to setup account.")


class HttpError(CloudError):
    """A service refused.

    Args:
        status: HTTP status.
        code: the service's error code, empty when it sent none.
        message: the service's text.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message, 3 if status == 404 else 1)
        self.status = status
        self.code = code
        self.message = message
