"""What is wrong with trust data, one class for each way to be wrong; attacks bear the specification's names.

TufError
├── MalformedMetadata        no metadata of this dialect: not JSON, a member missing or of another kind
│   └── AmbiguousMetadata    two readers would see two things: a member twice, spelt in another case, a float
├── UnusableKey              a key or certificate that cannot be read, is too weak, or of an unknown kind
├── MissingKeys              nothing here can sign for the role: the private keys are elsewhere
├── WrongOrder               a part was loaded before what it depends on: a mistake of the caller, not of the data
└── TrustError               well-formed, and not to be trusted
    ├── ForgedMetadata       too few valid signatures of the role's keys (arbitrary software attack)
    │   ├── Unsigned         no signature at all
    │   ├── RepeatedKey      one key is counted twice to reach the threshold
    │   └── WrongKeyId       a key stands under an id that is not its own
    ├── WrongRole            metadata of one role is offered as another's
    ├── UndelegatedRole      nobody delegated to this role
    ├── PathViolation        a delegated role names a target outside its paths
    ├── RollbackAttack       an older version than one that was already trusted
    ├── FastForwardAttack    a version so high that no honest one could follow
    ├── FreezeAttack         expired: somebody keeps showing what was true long ago
    ├── MixAndMatchAttack    parts that were never published together: a hash differs from the announced one
    │   └── MissingHash      no hash of a known kind was announced
    ├── EndlessDataAttack    more bytes than announced or allowed
    └── UntrustedRoot        no path leads from what is trusted to this root
        └── RootRotationAttack   the root trusted so far did not sign its successor

Where the reference has a text for a failure, `str()` of ours is that text: docker and notary show it, and so do we.
The names of attacks are those of the TUF specification, section 1.5.2 (goals to protect against specific attacks).
"""

from __future__ import annotations

from collections.abc import Sequence


class TufError(Exception):
    """Something is wrong with trust data."""


class MalformedMetadata(TufError):
    """The bytes are no metadata of this dialect."""


class AmbiguousMetadata(MalformedMetadata):
    """Two readers would see two things in these bytes."""


class UnusableKey(TufError):
    """A key or certificate cannot be used."""


class MissingKeys(TufError):
    """No private key at hand can sign for the role.

    Args:
        key_ids: ids of the keys that could, without the certificate around them.
    """

    def __init__(self, key_ids: Sequence[str]) -> None:
        super().__init__(
            "could not find necessary signing keys, at least one of these keys must be available: " + ", ".join(key_ids)
        )
        self.key_ids = tuple(key_ids)


class WrongOrder(TufError):
    """A part was loaded before what it depends on."""


class TrustError(TufError):
    """The data are well-formed and not to be trusted."""


class ForgedMetadata(TrustError):
    """Too few valid signatures.

    Args:
        role: the role whose keys should have signed.
        threshold: how many signatures are needed.
        valid: ids of the keys whose signatures are valid.
        text: another wording; None gives the reference's.
    """

    def __init__(self, role: str, threshold: int, valid: Sequence[str] = (), text: str | None = None) -> None:
        super().__init__(text or f"valid signatures did not meet threshold for {role}")
        self.role = role
        self.threshold = threshold
        self.valid = tuple(valid)

    @property
    def missing(self) -> int:
        """How many more signatures are needed."""
        return max(self.threshold - len(self.valid), 0)


class Unsigned(ForgedMetadata):
    """There is no signature at all."""

    def __init__(self, role: str, threshold: int) -> None:
        super().__init__(role, threshold, (), "tuf: data has no signatures")


class RepeatedKey(ForgedMetadata):
    """One key, under several ids or certificates, is counted twice to reach the threshold."""


class WrongKeyId(ForgedMetadata):
    """A key stands under an id that is not its own."""

    def __init__(self, role: str, threshold: int = 1) -> None:
        super().__init__(role, threshold, (), "key ID is not valid for key content")


class WrongRole(TrustError):
    """Metadata of one role is offered as another's."""


class UndelegatedRole(TrustError):
    """Nobody delegated to this role."""

    def __init__(self, role: str, reason: str = "delegation does not exist") -> None:
        super().__init__(f"tuf: invalid role {role}." + (f" {reason}" if reason else ""))
        self.role = role


class PathViolation(TrustError):
    """A delegated role names a target outside its paths."""

    def __init__(self, role: str, target: str) -> None:
        super().__init__(f"target {target} is outside the paths delegated to {role}")
        self.role = role
        self.target = target


class RollbackAttack(TrustError):
    """An older version than one that was already trusted.

    Args:
        role: whose metadata it is.
        offered: the version offered.
        trusted: the version that is trusted.
    """

    def __init__(self, role: str, offered: int, trusted: int) -> None:
        super().__init__(f"version {offered} is lower than current version {trusted}")
        self.role = role
        self.offered = offered
        self.trusted = trusted


class FastForwardAttack(TrustError):
    """A version so high that no honest one could follow."""

    def __init__(self, role: str, offered: int, current: int) -> None:
        super().__init__(f"{role} version {offered} is too far ahead of current version {current}")
        self.role = role


class FreezeAttack(TrustError):
    """The metadata have expired.

    Args:
        role: whose metadata they are.
        expired: when, in the reference's wording.
    """

    def __init__(self, role: str, expired: str) -> None:
        super().__init__(f"{role} expired at {expired}")
        self.role = role


class MixAndMatchAttack(TrustError):
    """The bytes are not those that were announced.

    Args:
        role: whose metadata they are.
        algorithm: ``sha256`` or ``sha512``.
        expected: the announced digest, hex.
    """

    def __init__(self, role: str, algorithm: str, expected: str) -> None:
        super().__init__(f"{algorithm} checksum for {role} did not match: expected {expected}")
        self.role = role


class MissingHash(MixAndMatchAttack):
    """No hash of a known kind was announced."""

    def __init__(self, role: str) -> None:
        super().__init__(role, "", "")
        self.args = (f"no checksums for supported algorithms were provided for {role}",)


class EndlessDataAttack(TrustError):
    """More bytes than announced or allowed."""

    def __init__(self, role: str, size: int, limit: int) -> None:
        super().__init__("trust server returned a bad response.")
        self.role = role
        self.size = size
        self.limit = limit


class UntrustedRoot(TrustError):
    """No path leads from what is trusted to this root."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"could not validate the path to a trusted root: {reason}")


class RootRotationAttack(UntrustedRoot):
    """The root trusted so far did not sign its successor."""

    def __init__(self, reason: str = "failed to validate data with current trusted certificates") -> None:
        super().__init__(reason)
        self.args = (f"could not rotate trust to a new trusted root: {reason}",)
