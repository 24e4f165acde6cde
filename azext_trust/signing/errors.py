"""What goes wrong between a signer, its keys and a Notary server. `str()` is what docker or notary would show.

What the server says is in `clients.notary_errors`, what is wrong with data in `tuf.errors`.

SigningError
├── NotInitialized           the repository has no trust data yet
├── NoSuchTag                the tag is not signed
├── NotASigner               no key at hand may sign the tag
├── NothingToDo              what should be removed is not there
├── InvalidName              a signer, role or tag has a name that cannot be
└── KeyStoreError            a key cannot be read, written or decrypted
    ├── KeyNotFound          no file holds this key
    ├── WrongPassphrase      it does not decrypt the key
    ├── NoPassphrase         none was given and nobody can be asked
    ├── UnsafeFile           others may read a private key, or an archive names a place outside the store
    └── DamagedKey           the file is no key, or another one than its name says
"""

from __future__ import annotations

from azext_trust.cloud.errors import CloudError


class SigningError(CloudError):
    """A failure with a text for the user."""


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
