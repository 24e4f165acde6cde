"""What is signed, for somebody who only looks: nothing is kept, and trust data that have ended are still shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from azext_trust.signing import inspection, updater
from azext_trust.signing.cache import TrustCache
from azext_trust.signing.errors import SigningError
from azext_trust.signing.notary import Remote
from azext_trust.tuf import roles, times, verify, walk
from azext_trust.tuf.envelope import Envelope
from azext_trust.tuf.errors import FreezeAttack, TufError

_STEPS = 20
"""How many roles may have ended one after the other."""


class Distrusted(SigningError):
    """The trust data do not verify; the text names the attack that they look like."""


@dataclass(frozen=True)
class SeenTag:
    """A released tag.

    Attributes:
        name: the tag.
        digest: what was signed, ``sha256:...``.
        signers: the delegations that signed it, or ``Repo Admin``.
        role: where docker's pull finds it: ``targets/releases`` or ``targets``.
        expires: when the first of the metadata that people sign ends: root, targets, delegations.
        expired: whether a pull fails now because something has ended, the server's own metadata included.
    """

    name: str
    digest: str
    signers: tuple[str, ...]
    role: str
    expires: datetime
    expired: bool


def look(remote: Remote, now: datetime) -> list[SeenTag]:
    """Return the released tags of a repository, verified from its first root on.

    Args:
        remote: the server.
        now: the moment for expiry.

    Raises:
        NotInitialized, RemoteError: there are none, or the server cannot be asked.
        Distrusted: they do not verify. That something has ended is no such case.
    """
    try:
        loaded = _loaded(remote, now)
    except TufError as error:
        raise Distrusted(f"{type(error).__name__}: {error}") from error
    trusted = loaded.trusted
    assert trusted.root is not None  # load() has verified all three
    assert trusted.snapshot is not None
    assert trusted.timestamp is not None
    signers = {str(row["SignedTag"]): tuple(map(str, row["Signers"])) for row in inspection.signed_tags(loaded)}
    served = min(trusted.snapshot.expires, trusted.timestamp.expires)
    seen = []
    for name, tag in walk.released(loaded.targets).items():
        above = (loaded.targets[roles.TARGETS], loaded.targets[tag.role])
        expires = min(trusted.root.expires, *(one.expires for one in above))
        ended = min(expires, served) <= now
        found = signers.get(name, (inspection.REPO_ADMIN,))
        seen.append(SeenTag(name, f"sha256:{tag.file.sha256}", found, tag.role, expires, ended))
    return seen


def _loaded(remote: Remote, now: datetime) -> updater.Loaded:
    """Load as at the last moment at which nothing had ended; everything else is verified as ever."""
    moment = now
    for _ in range(_STEPS):
        try:
            return updater.load(remote, _Nothing(remote.gun), moment, offline=False)
        except FreezeAttack as error:
            before = _end(remote, error.role) - timedelta(seconds=1)
            if before >= moment:
                raise
            moment = before
    return updater.load(remote, _Nothing(remote.gun), moment, offline=False)


def _end(remote: Remote, role: str) -> datetime:
    """Return when a role's metadata end; not verified: `_loaded` verifies at the moment that this chooses."""
    fields = Envelope.parse(remote.fetch(role, verify.MAX_METADATA)).fields
    return times.read(fields.get("expires"))


class _Nothing(TrustCache):
    """A cache that holds nothing: each look begins with the root that the server has."""

    def __init__(self, gun: str) -> None:
        super().__init__(Path("/nonexistent"), gun)

    def read(self, role: str) -> bytes | None:
        """Return nothing."""
        return None

    def write(self, role: str, raw: bytes) -> None:
        """Keep nothing."""

    def cached_roles(self) -> list[str]:
        """Return no role."""
        return []
