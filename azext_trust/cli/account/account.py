"""The handlers of ``logout`` and ``account``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from knack.util import CLIError

from azext_trust.cli.context import Context


def logout(context: Context, username: str | None = None) -> None:
    """Forget a user's subscriptions and tokens.

    Raises:
        CLIError: nobody of this name is signed in.
    """
    from azext_trust.cloud import token_cache

    accounts = context.connection.accounts
    rows = accounts.all()
    if not rows:
        raise CLIError("There are no active accounts.")
    name = username or accounts.current()["user"]["name"]
    kept = [row for row in rows if row["user"]["name"].lower() != name.lower()]
    if len(kept) == len(rows):
        raise CLIError(f"account '{name}' was not found.")
    gone = next(row for row in rows if row["user"]["name"].lower() == name.lower())
    if kept and not any(row.get("isDefault") for row in kept):
        kept[0]["isDefault"] = True
    accounts.save(kept)
    token_cache.forget_account(context.connection.cache_name, gone)


def clear(context: Context) -> None:
    """Forget everybody, with all tokens."""
    from azext_trust.cloud import token_cache

    context.connection.accounts.save([])
    token_cache.forget(context.connection.cache_name)


def listed(context: Context, all: bool = False) -> list[dict[str, Any]]:
    """Return the subscriptions of this cloud."""
    from azext_trust.cloud.accounts import listed_form

    rows = context.connection.accounts.all()
    if not rows:
        # As az: an empty list, with the hint on stderr.
        from knack.log import get_logger

        from azext_trust.cloud.errors import NotSignedIn

        get_logger(__name__).warning(str(NotSignedIn()))
    return [listed_form(row) for row in rows if all or row["state"] == "Enabled"]


def show(context: Context, subscription: str | None = None) -> dict[str, Any]:
    """Return one subscription."""
    from azext_trust.cloud.accounts import shown

    connection = context.connection
    return shown(connection.accounts.current(subscription) if subscription else connection.account)


def choose(context: Context, subscription: str) -> None:
    """Make a subscription the one in use."""
    context.connection.accounts.choose(subscription)


def get_access_token(
    context: Context, subscription: str | None = None, tenant: str | None = None, resource: str | None = None,
    resource_type: str | None = None, scopes: list[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return an access token of the signed-in account.

    Raises:
        CLIError: the options do not fit together.
    """
    if sum(bool(given) for given in (resource, resource_type, scopes)) > 1:
        raise CLIError("usage error: --resource, --resource-type and --scope cannot be given together")
    connection = context.connection
    if subscription:
        connection.account = connection.accounts.current(subscription)
    account = connection.account
    if tenant and tenant.lower() != account["tenantId"].lower():
        if account["user"]["type"] != "user":
            raise CLIError("Tenant shouldn't be specified for service principals.")
        connection.account = account = {**account, "tenantId": tenant}
    token, ends = connection.token(_scope(context, resource, resource_type, scopes))
    found = {
        "accessToken": token, "expiresOn": datetime.fromtimestamp(ends).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "expires_on": ends, "tenant": account["tenantId"], "tokenType": "Bearer",
    }  # fmt: skip
    return found if tenant else {**found, "subscription": account["id"]}


def _scope(context: Context, resource: str | None, kind: str | None, scopes: list[str] | None) -> str:
    if scopes:
        return " ".join(scopes)
    profile = context.connection.profile
    known = {"arm": profile.audience, "ms-graph": profile.graph, "acr": "https://containerregistry.azure.net"}
    return f"{resource or known[kind or 'arm']}/.default"
