"""Tokens and secrets kept between commands: encrypted where the platform can, readable only by their owner."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azext_trust import home
from azext_trust.cloud.accounts import Account

SPARE_SECONDS = 300
"""A token that ends within this time is renewed before it is used."""


def _persistence(name: str) -> Any:
    """Return msal-extensions' storage: the platform's encryption, else a plain file."""
    import msal_extensions

    try:
        return msal_extensions.build_encrypted_persistence(str(_path(name, "bin")))
    except Exception:  # it raises ImportError, ValueError or D-Bus' own classes where there is none
        return msal_extensions.FilePersistence(str(_path(name, "json")))


def _path(name: str, kind: str) -> Path:
    return home.config_dir() / f"tokens-{name}.{kind}"


def cache(name: str) -> Any:
    """Return msal's token cache of a cloud, kept in the configuration directory under a lock.

    Args:
        name: the cloud's key (`accounts.key`).
    """
    import msal_extensions

    home.private_dir(home.config_dir())
    plain = _path(name, "json")
    if not plain.exists() and not _path(name, "bin").exists():
        home.create_private(plain, b"{}")
    return msal_extensions.PersistedTokenCache(_persistence(name))


def unexpired(name: str, account: Account, scope: str) -> tuple[str, int] | None:
    """Return a cached access token that is good for a while, without loading msal.

    Only the plain file is read here; an encrypted cache takes the longer way.

    Args:
        name: the cloud's key.
        account: whose token.
        scope: the scope it was asked with.

    Returns:
        The token and the second (Unix time) at which it ends.
    """
    try:
        held = json.loads(_path(name, "json").read_bytes())
    except (OSError, ValueError):
        return None
    login = account["login"]
    for row in held.get("AccessToken", {}).values():
        fits = (
            scope.lower() in str(row.get("target", "")).lower().split()
            and row.get("client_id") == login["clientId"]
            and row.get("home_account_id") == login.get("homeAccountId")
            and (row.get("realm") == account["tenantId"] or row.get("realm") in ("adfs", "organizations"))
        )
        if fits and int(row.get("expires_on", 0)) > time.time() + SPARE_SECONDS:
            return str(row["secret"]), int(row["expires_on"])
    return None


def keep_secret(name: str, client_id: str, secret: dict[str, str]) -> None:
    """Keep a service principal's credential, so that tokens can be renewed."""
    held = _secrets(name)
    held[client_id] = secret
    _save_secrets(name, held)


def secret_of(name: str, client_id: str) -> dict[str, str]:
    """Return a service principal's credential, empty when it is not kept."""
    found: dict[str, str] = _secrets(name).get(client_id, {})
    return found


def _secrets(name: str) -> dict[str, Any]:
    import msal_extensions

    try:
        held: dict[str, Any] = json.loads(_persistence(f"{name}-principals").load())
    except (msal_extensions.persistence.PersistenceNotFound, ValueError):
        return {}
    return held


def _save_secrets(name: str, held: dict[str, Any]) -> None:
    home.private_dir(home.config_dir())
    if not _path(f"{name}-principals", "bin").exists():
        home.create_private(_path(f"{name}-principals", "json"), b"{}")
    _persistence(f"{name}-principals").save(json.dumps(held))


def forget_account(name: str, account: Account) -> None:
    """Remove the tokens, or the credential, of one account of a cloud."""
    login = account["login"]
    held, tokens = _secrets(name), cache(name)
    if held.pop(login["clientId"], None) is not None:
        _save_secrets(name, held)
    owner = login.get("homeAccountId")
    for kind in ("AccessToken", "RefreshToken", "IdToken", "Account"):
        for row in list(tokens.search(kind)):
            theirs = row.get("home_account_id") == owner and (owner or row.get("client_id") == login["clientId"])
            if theirs:
                _REMOVE[kind](tokens, row)


_REMOVE: dict[str, Callable[[Any, Any], None]] = {
    "AccessToken": lambda tokens, row: tokens.remove_at(row),
    "RefreshToken": lambda tokens, row: tokens.remove_rt(row),
    "IdToken": lambda tokens, row: tokens.remove_idt(row),
    "Account": lambda tokens, row: tokens.remove_account(row),
}


def forget(name: str) -> None:
    """Remove all tokens and secrets of a cloud."""
    for kind in ("json", "bin"):
        _path(name, kind).unlink(missing_ok=True)
        _path(f"{name}-principals", kind).unlink(missing_ok=True)
