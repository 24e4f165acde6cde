"""What an audit cannot go on with."""

from __future__ import annotations

from azext_trust.cloud.errors import CloudError


class FileError(CloudError):
    """A file cannot be read as what it is; the message names the file and the place in it."""


class QuestionError(CloudError):
    """A question cannot be asked so."""


class Missing(CloudError):
    """What a question is about does not exist; ends with 3, as az does.

    Args:
        message: what there is not.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, 3)
