"""Tokens and secrets kept between commands: encrypted where the platform can, readable only by their owner."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azext_trust import home
from azext_trust.cloud.accounts import Account, locked, unwritable

SPARE_SECONDS = 300
"""A token that ends within this time is renewed before it is used."""


def _persistence(name: str) -> Any:
    """Return msal-extensions' storage: the platform's encryption, else a plain file."""
    import msal_extensions

    home.private_dir(home.config_dir())
    try:
        return msal_extensions.build_encrypted_persistence(str(_path(name, "bin")))
    except Exception:  # it raises ImportError, ValueError or D-Bus' own classes where there is none
        return _whole_file(str(_path(name, "json")))


def _whole_file(path: str) -> Any:
    """Return a plain file that is written whole or not at all, and begins anew where it cannot be read."""
    import msal_extensions

    class WholeFile(msal_extensions.FilePersistence):  # type: ignore[misc]
        """msal-extensions truncates its file and then writes: who reads in between finds half a cache."""

        def save(self, content: str) -> None:
            try:
                home.write_private(Path(path), content.encode())
            except OSError as error:
                raise unwritable(error) from None

        def load(self) -> str:
            text = str(super().load())
            try:
                return text if isinstance(json.loads(text), dict) else "{}"
            except ValueError:
                return "{}"

    return WholeFile(path)


def _path(name: str, kind: str) -> Path:
    return home.config_dir() / f"tokens-{name}.{kind}"


def cache(name: str) -> Any:
    """Return msal's token cache of a cloud, kept in the configuration directory under a lock.

    Args:
        name: the cloud's key (`accounts.key`).

    Raises:
        CloudError: the directory cannot be written.
    """
    import msal_extensions

    try:
        return msal_extensions.PersistedTokenCache(_persistence(name))
    except OSError as error:
        raise unwritable(error) from None


def unexpired(name: str, account: Account, scope: str) -> tuple[str, int] | None:
    """Return a cached access token that is good for a while, without loading msal.

    Only the plain file is read here; an encrypted cache takes the longer way.

    Args:
        name: the cloud's key.
        account: whose token.
        scope: the scopes it was asked with.

    Returns:
        The token and the second (Unix time) at which it ends.
    """
    try:
        held = json.loads(_path(name, "json").read_bytes())["AccessToken"].values()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    fitting = [(int(row.get("expires_on", 0)), row["secret"]) for row in held if _fits(row, account, scope)]
    # A sign-in at "organizations" and its renewal at the tenant stand side by side: the newer one counts.
    ends, token = max(fitting, default=(0, ""))
    return (str(token), ends) if ends > time.time() + SPARE_SECONDS else None


def _fits(row: dict[str, Any], account: Account, scope: str) -> bool:
    login = account["login"]
    return (
        set(scope.lower().split()) <= set(str(row.get("target", "")).lower().split())
        and row.get("client_id") == login.get("clientId")
        and row.get("home_account_id") == login.get("homeAccountId")
        and row.get("realm") in (account["tenantId"], "adfs", "organizations")
    )


def keep_secret(name: str, client_id: str, tenant: str, secret: dict[str, str]) -> None:
    """Keep a service principal's credential, so that tokens can be renewed."""
    with locked(_path(f"{name}-principals", "lock")):
        _save_secrets(name, {**_secrets(name), _owner(client_id, tenant): secret})


def secret_of(name: str, client_id: str, tenant: str) -> dict[str, str]:
    """Return a service principal's credential, empty when it is not kept."""
    found: dict[str, str] = _secrets(name).get(_owner(client_id, tenant), {})
    return found


def _owner(client_id: str, tenant: str) -> str:
    return f"{client_id}@{tenant}".lower()


def _secrets(name: str) -> dict[str, Any]:
    import msal_extensions

    try:
        held: dict[str, Any] = json.loads(_persistence(f"{name}-principals").load())
    except (msal_extensions.persistence.PersistenceNotFound, ValueError):
        return {}
    return held


def _save_secrets(name: str, held: dict[str, Any]) -> None:
    _persistence(f"{name}-principals").save(json.dumps(held))


def forget_account(name: str, account: Account) -> None:
    """Remove the tokens, and the credential if one is kept, of one account of a cloud."""
    login = account["login"]
    client, owner = login.get("clientId"), login.get("homeAccountId")
    with locked(_path(f"{name}-principals", "lock")):
        held = _secrets(name)
        if held.pop(_owner(str(client), account["tenantId"]), None) is not None:
            _save_secrets(name, held)
    tokens = cache(name)
    for kind in ("AccessToken", "RefreshToken", "IdToken", "Account"):
        for row in list(tokens.search(kind)):
            if row.get("home_account_id") == owner and (owner or row.get("client_id") == client):
                REMOVE[kind](tokens, row)


REMOVE: dict[str, Callable[[Any, Any], None]] = {
    "AccessToken": lambda tokens, row: tokens.remove_at(row),
    "RefreshToken": lambda tokens, row: tokens.remove_rt(row),
    "IdToken": lambda tokens, row: tokens.remove_idt(row),
    "Account": lambda tokens, row: tokens.remove_account(row),
}
"""How msal's cache forgets a row of each kind."""


def forget(name: str) -> None:
    """Remove all tokens and secrets of a cloud."""
    # What a key ring holds is overwritten first: the file beside it only tells when it changed.
    for one in (name, f"{name}-principals"):
        if _path(one, "bin").exists():
            _persistence(one).save("{}")
        for kind in ("json", "bin"):
            _path(one, kind).unlink(missing_ok=True)
