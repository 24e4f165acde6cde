"""What goes wrong with trust data, in docker's words (docker/cli v28 cli/trust/trust.go NotaryError), and its cure.

docker begins these texts with ``Error:`` or ``Warning:``; here every error is printed as one.
"""

from __future__ import annotations

from azext_trust.clients.notary_errors import NotAuthorized, Unavailable
from azext_trust.cloud.errors import CloudError
from azext_trust.tuf import errors
from azext_trust.tuf.errors import TufError

_MALICIOUS = "potential malicious behavior - trust data {what} for remote repository {gun}: {error}"
_TEXTS: tuple[tuple[type[TufError], str], ...] = (
    (errors.FreezeAttack, "remote repository {gun} out-of-date: {error}"),
    (errors.RollbackAttack, _MALICIOUS.replace("{what}", "version is lower than expected")),
    (errors.UntrustedRoot, _MALICIOUS.replace("{what}", "mismatch")),
    (errors.ForgedMetadata, _MALICIOUS.replace("{what}", "has insufficient signatures")),
    (errors.MalformedMetadata, "the trust data of {gun} cannot be read: {error}"),
)
_CLEAR = (
    "\nIf content trust was disabled and enabled again there, what you trusted before is gone for good: "
    "run 'aztrust trust cache clear {gun}' to trust the repository anew."
)
_OFF = (
    "\nContent trust is not enabled on this registry: 'aztrust acr config content-trust update -r {registry} --status "
    "enabled' enables it; it needs the Premium SKU."
)
_LOGGED = (
    "\nSigning takes AcrImageSigner besides AcrPush. The registry's activity log names the missing permission; on a "
    "local cloud: aztrust local log list --outcome Denied -o table"
)


class TrustFailure(CloudError):
    """Work on a repository's trust data failed; the text is docker's, and perhaps a cure."""


def told(error: CloudError | TufError, gun: str, doing: str = "") -> TrustFailure:
    """Return a failure with its text for the user.

    Args:
        error: what went wrong.
        gun: the repository.
        doing: what docker says first: ``failed to sign myregistry.azurecr.io/app:v1``.
    """
    text = next((form for kind, form in _TEXTS if isinstance(error, kind)), "{error}")
    first = f"{doing}: " if doing else ""
    return TrustFailure(first + text.format(gun=gun, error=error) + _cure(error).format(gun=gun, registry=_name(gun)))


def _cure(error: CloudError | TufError) -> str:
    if isinstance(error, (errors.RollbackAttack, errors.UntrustedRoot)):
        return _CLEAR
    if isinstance(error, Unavailable) and error.status == 405:
        return _OFF
    return _LOGGED if isinstance(error, NotAuthorized) else ""


def _name(gun: str) -> str:
    return gun.partition(".")[0]
