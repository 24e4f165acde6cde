"""The handlers of ``logout`` and ``account``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.context import Context

logger = get_logger(__name__)


def logout(context: Context, username: str | None = None) -> None:
    """Forget a user's subscriptions and tokens; as in az it is no error when nobody of this name is signed in.

    Raises:
        CLIError: nobody is signed in.
    """
    from azext_trust.cloud.errors import CloudError

    connection = context.connection
    if not username:
        try:
            username = str(connection.accounts.current()["user"]["name"])
        except CloudError:
            raise CLIError("There are no active accounts.") from None
    _forget(context, connection.accounts.remove(username))


def _forget(context: Context, gone: list[dict[str, Any]]) -> None:
    from azext_trust.cloud import azure, token_cache

    connection = context.connection
    for account in gone:
        token_cache.forget_account(connection.cache_name, account)
        if connection.profile.kind == "azure":
            azure.forget(account)


def clear(context: Context) -> None:
    """Forget everybody, with all tokens."""
    from azext_trust.cloud import token_cache
    from azext_trust.cloud.errors import CloudError

    connection = context.connection
    if connection.profile.kind == "azure":
        try:
            _forget(context, connection.accounts.all())
        except CloudError as error:  # a damaged file is what this command mends
            logger.warning(error)
    connection.accounts.save([])
    token_cache.forget(connection.cache_name)


def listed(context: Context, all: bool = False, refresh: bool = False) -> list[dict[str, Any]]:
    """Return the subscriptions of this cloud, or of all."""
    from azext_trust.cloud.accounts import everywhere, listed_form

    if refresh:
        _refresh(context)
    rows = everywhere() if all else context.connection.accounts.all()
    if not rows:
        # As az: an empty list, with the hint on stderr.
        logger.warning('Please run "aztrust login" to access your accounts.')
    enabled = [row for row in rows if all or row["state"] == "Enabled"]
    if len(enabled) != len(rows):
        logger.warning("A few accounts are skipped as they don't have 'Enabled' state. Use '--all' to display them.")
    return [listed_form(row) for row in enabled]


def _refresh(context: Context) -> None:
    """Look each user's subscriptions up again."""
    from azext_trust.cli.account.login import found_again
    from azext_trust.cloud.errors import CloudError

    accounts, fresh, seen = context.connection.accounts, [], set()
    held = accounts.all()
    for row in held:
        name = row["user"]["name"]
        if name in seen:
            continue
        seen.add(name)
        try:
            fresh += found_again(context, row)
        except CloudError as error:
            logger.warning("Refreshing for '%s' failed with an error '%s'. The existing accounts were not modified. You "
                           "can run 'aztrust login' later to explicitly refresh them", name, error)  # fmt: skip
            fresh += [old for old in held if old["user"]["name"] == name]
    accounts.replace(fresh)


def show(context: Context, subscription: str | None = None) -> dict[str, Any]:
    """Return one subscription."""
    from azext_trust.cloud.accounts import shown

    connection = context.connection
    return shown(connection.accounts.current(subscription) if subscription else connection.account)


def choose(context: Context, subscription: str | None = None) -> None:
    """Make a subscription the one in use.

    Raises:
        CloudError: none was named, or there is none of this name.
    """
    from azext_trust.cloud.errors import CloudError

    wanted = subscription or context.subscription
    if not wanted:
        raise CloudError("the following arguments are required: --subscription/-s/--name/-n", 2)
    context.connection.accounts.choose(wanted)


def get_access_token(
    context: Context, subscription: str | None = None, tenant: str | None = None, resource: str | None = None,
    resource_type: str | None = None, scopes: list[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return an access token of the signed-in account.

    Raises:
        CLIError: the options do not fit together.
    """
    connection, subscription = context.connection, subscription or context.subscription
    if subscription and tenant:
        raise CLIError("Please specify only one of subscription and tenant, not both")
    asked = _scope(context, resource, resource_type, scopes)
    if subscription:
        connection.account = connection.accounts.current(subscription)
    account = connection.account
    if tenant:
        if "identity" in account["login"] and tenant != account["tenantId"]:
            raise CLIError("For managed identity account, getting access token for non-current tenants is not supported. "
                           f"The specified tenant must be the current tenant {account['tenantId']}")  # fmt: skip
        connection.account = account = {**account, "tenantId": tenant}
    token, ends = connection.token(asked)
    found = {
        "tokenType": "Bearer", "accessToken": token, "expires_on": ends,
        "expiresOn": datetime.fromtimestamp(ends).strftime("%Y-%m-%d %H:%M:%S.%f"), "tenant": account["tenantId"],
    }  # fmt: skip
    return found if tenant else {**found, "subscription": account["id"]}


def _scope(context: Context, resource: str | None, kind: str | None, scopes: list[str] | None) -> str:
    if scopes:
        return " ".join(scopes)
    profile = context.connection.profile
    known = {"arm": profile.audience, "ms-graph": profile.graph}
    if not resource and kind and kind not in known:
        raise CLIError(f"The cloud '{profile.name}' has no resource of the type '{kind}'.")
    return f"{resource or known[kind or 'arm']}/.default"


def list_locations(context: Context) -> list[dict[str, Any]]:
    """Return the regions of the subscription in use."""
    path = f"/subscriptions/{context.connection.subscription}/locations"
    return context.arm.listed(path, "subscriptions")


def tenants(context: Context) -> list[dict[str, Any]]:
    """Return the tenants that the signed-in account is in."""
    return context.arm.listed("/tenants", "subscriptions")
