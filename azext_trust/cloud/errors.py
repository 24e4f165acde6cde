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


def unreachable(cloud: str, where: str, error: Exception) -> CloudError:
    """Return what to tell when a request did not get through.

    Args:
        cloud: the cloud's name.
        where: the address that was asked.
        error: what requests raised.
    """
    if type(error).__name__ == "SSLError":
        return CloudError(
            f"The certificate of {where} is not trusted: {error}. Register the cloud with --ca FILE, or "
            "set REQUESTS_CA_BUNDLE to its ca/ca.pem."
        )
    return CloudError(
        f"Please ensure you have network connection, and that the cloud '{cloud}' is served at {where}. "
        f"Error detail: {error}"
    )


class HttpError(CloudError):
    """A service refused, in Resource Manager's shape.

    Args:
        status: HTTP status.
        code: the service's error code, empty when it sent none.
        message: the service's text.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        text = f"({code}) {message}\nCode: {code}\nMessage: {message}" if code else message
        super().__init__(text, 3 if status == 404 else 1)
        self.status = status
        self.code = code
        self.message = message


class GraphError(HttpError):
    """Graph refused: az prints its message only, and ends with 3 in ``show`` commands alone."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.args = (message,)
        self.exit_code = 1


class NotFound(GraphError):
    """The directory has nothing of this name."""

    def __init__(self, message: str) -> None:
        super().__init__(404, "", message)
