"""What goes wrong between a signer, its keys and a Notary server. `str()` is what docker or notary would show.

SigningError
├── RemoteError              the server did not do what was asked
│   ├── NoTrustData          404: it has nothing under this name
│   ├── NotAuthorized        401: the caller may not
│   ├── Unavailable          cannot be reached, or any other status
│   └── Rejected             400: the upload is refused; the texts of the role that is at fault
├── NotInitialized           the repository has no trust data yet
├── NoSuchTag                the tag is not signed
├── NotASigner               no key at hand may sign the tag
├── NothingToDo              what should be removed is not there
├── InvalidName              a signer, role or tag has a name that cannot be
├── Conflict                 somebody else published first; nothing was changed
└── KeyStoreError            a key cannot be read, written or decrypted
    ├── KeyNotFound          no file holds this key
    ├── WrongPassphrase      it does not decrypt the key
    ├── NoPassphrase         none was given and nobody can be asked
    ├── UnsafeFile           others may read a private key, or an archive names a place outside the store
    └── DamagedKey           the file is no key, or another one than its name says
"""

from __future__ import annotations


class SigningError(Exception):
    """A failure with a text for the user."""


class RemoteError(SigningError):
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
        text = f"unable to reach trust server at this time: {status}." if status else cause
        super().__init__(text)
        self.status = status


class Rejected(RemoteError):
    """The server refuses an upload.

    Args:
        code: its error code.
        name: for INVALID_UPDATE the kind, ``ErrBadTargets``...
        message: its text.
    """

    def __init__(self, code: str, name: str = "", message: str = "") -> None:
        role = {"ErrBadRoot": "root", "ErrBadTargets": "targets", "ErrBadSnapshot": "snapshot"}.get(name)
        if role:
            text = f"The {role} metadata is invalid: {message}"
        elif name == "ErrBadHierarchy":
            text = f"Metadata hierarchy is incomplete: {message}"
        elif name:
            text = f"An error occurred during validation: {message}"
        else:
            text = "trust server rejected operation."
        super().__init__(text)
        self.code = code
        self.name = name


class Conflict(RemoteError):
    """Somebody else published first."""

    def __init__(self) -> None:
        super().__init__("trust server rejected operation. Somebody else published first: try again.")


class NotInitialized(SigningError):
    """The repository has no trust data.

    Args:
        server: the server's address without the scheme, as docker names it.
        gun: the repository.
    """

    def __init__(self, server: str, gun: str) -> None:
        super().__init__(f"remote trust data does not exist for {gun}: {server} does not have trust data for {gun}")
        self.gun = gun


class NoSuchTag(SigningError):
    """The tag is not signed."""

    def __init__(self, tag: str) -> None:
        super().__init__(f"No valid trust data for {tag}")
        self.tag = tag


class NotASigner(SigningError):
    """No key at hand may sign the tag."""

    def __init__(self) -> None:
        super().__init__("no valid signing keys for delegation roles")


class NothingToDo(SigningError):
    """What should be removed is not there."""


class InvalidName(SigningError):
    """A signer, role or tag has a name that cannot be."""


class KeyStoreError(SigningError):
    """A key cannot be read, written or decrypted."""


class KeyNotFound(KeyStoreError):
    """No file holds this key."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"signing key not found: {key_id}")


class WrongPassphrase(KeyStoreError):
    """The passphrase does not decrypt the key."""

    def __init__(self, key_id: str = "") -> None:
        super().__init__(f"password invalid, operation has failed for key {key_id[:7]}.".replace(" for key .", "."))


class NoPassphrase(KeyStoreError):
    """None was given and nobody can be asked."""


class UnsafeFile(KeyStoreError):
    """Others may read a private key, or an archive names a place outside the store."""


class DamagedKey(KeyStoreError):
    """The file is no key, or another one than its name says."""
