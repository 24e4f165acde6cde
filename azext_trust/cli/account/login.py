"""The handler of ``login``: sign in, then find the subscriptions."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from knack.log import get_logger
from knack.prompting import NoTTYException, prompt_pass
from knack.util import CLIError

from azext_trust.cli.context import Context

if TYPE_CHECKING:
    from azext_trust.cloud.sign_in import SignedIn

logger = get_logger(__name__)
_VERSION = "subscriptions"


def login(  # one parameter for each flag
    context: Context, username: str | None = None, password: str | None = None, service_principal: bool = False,
    tenant: str | None = None, certificate: str | None = None, federated_token: str | None = None,
    use_device_code: bool = False, use_cert_sn_issuer: bool = False, allow_no_subscriptions: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Sign in and keep the subscriptions that were found.

    Raises:
        CLIError: the options do not fit together, or no subscription was found.
        azext_trust.cloud.errors.CloudError: the sign-in was refused.
    """
    _check(username, service_principal, password or certificate or federated_token, tenant)
    if service_principal:
        credential = _credential(password, certificate, federated_token, use_cert_sn_issuer)
        signed = _service_principal(context, str(username), str(tenant), credential)
    elif username:
        signed = _user(context, username, password or _asked("Password: "), tenant)
    else:
        signed = _without_name(context, tenant, use_device_code)
    return _keep(context, signed, tenant, allow_no_subscriptions)


def _check(username: str | None, service_principal: bool, credential: str | None, tenant: str | None) -> None:
    if service_principal and not (username and tenant):
        raise CLIError("usage error: --service-principal --username APP_ID --password SECRET --tenant TENANT")
    if not username and credential:
        raise CLIError("usage error: --username is needed with --password, --certificate or --federated-token")


def _asked(prompt: str) -> str:
    try:
        return str(prompt_pass(prompt))
    except NoTTYException:
        raise CLIError("Please specify both username and password in non-interactive mode.") from None


def _credential(
    password: str | None, certificate: str | None, federated_token: str | None, chain: bool
) -> dict[str, str]:
    from azext_trust.cloud.sign_in import read_certificate

    if certificate:
        kept = {"certificate": read_certificate(certificate)}
        return {**kept, "chain": "yes"} if chain else kept
    if federated_token:
        return {"assertion": federated_token}
    return {"secret": password or _asked("Service principal secret: ")}


def _service_principal(context: Context, client_id: str, tenant: str, credential: dict[str, str]) -> SignedIn:
    from azext_trust.cloud import azure, sign_in

    connection = context.connection
    if connection.profile.kind == "azure":
        way = next(iter(credential))
        return azure.sign_in(
            {"way": way, "clientId": client_id, **credential}, tenant, f"{connection.profile.audience}/.default"
        )
    return sign_in.service_principal(connection.door(), client_id, tenant, credential)


def _user(context: Context, name: str, password: str, tenant: str | None) -> SignedIn:
    from azext_trust.cloud import sign_in

    if context.connection.profile.kind == "azure":
        raise CLIError(
            "Entra ID no longer lets azure-identity sign users in with a password. Use 'aztrust login' or --use-device-code."
        )
    return sign_in.password(context.connection.door(), name, password, tenant)


def _without_name(context: Context, tenant: str | None, use_device_code: bool) -> SignedIn:
    from azext_trust.cloud import azure, sign_in

    connection = context.connection
    kind = connection.profile.kind
    if kind == "azure":
        way = "device-code" if use_device_code else "browser"
        return azure.sign_in({"way": way}, tenant, f"{connection.profile.audience}/.default")
    if kind == "embedded":
        if use_device_code:
            raise CLIError(
                "The embedded cloud serves no page on which a code could be entered. Use 'aztrust login', 'aztrust login "
                "-u NAME -p PASSWORD', or 'aztrust serve' and a profile registered for it."
            )
        signed = sign_in.embedded_owner(connection.door(), connection.operator_key())
        print(f"Signed in to the embedded cloud as {signed.name}, the first user who is Owner.", file=sys.stderr)
        return signed
    way_in = sign_in.device_code if use_device_code else sign_in.browser
    return way_in(connection.door(), tenant)


def _keep(context: Context, signed: SignedIn, tenant: str | None, allow_none: bool) -> list[dict[str, Any]]:
    from azext_trust.cloud.accounts import listed_form

    rows = _found(context, signed, tenant)
    if not rows and allow_none:
        rows = [_row(context, signed, {"tenantId": signed.tenant}, None)]
    if not rows:
        raise CLIError(f"No subscriptions found for {signed.name}.")
    return [listed_form(row) for row in context.connection.accounts.add(rows)]


def _found(context: Context, signed: SignedIn, tenant: str | None) -> list[dict[str, Any]]:
    """Return an account for each subscription of each tenant that the user is in; of one tenant when it was named."""
    tenants = [{"tenantId": signed.tenant}]
    context.connection.account = _row(context, signed, tenants[0], None)
    if signed.kind == "user":
        known = context.arm.listed("/tenants", _VERSION)
        tenants = [row for row in known if not tenant or row["tenantId"] == signed.tenant] or tenants
    rows: list[dict[str, Any]] = []
    for row in tenants:
        context.connection.account = _row(context, signed, row, None)
        subscriptions = context.arm.listed("/subscriptions", _VERSION)
        rows += [
            _row(context, signed, row, s) for s in subscriptions if s["subscriptionId"] not in {r["id"] for r in rows}
        ]
    return rows


def _row(
    context: Context, signed: SignedIn, tenant: dict[str, Any], subscription: dict[str, Any] | None
) -> dict[str, Any]:
    """Return an account as az keeps it, with what is needed to renew its tokens."""
    found = subscription or {
        "subscriptionId": tenant["tenantId"], "displayName": "N/A(tenant level account)", "state": "Enabled",
    }  # fmt: skip
    return {
        "environmentName": context.connection.profile.name, "homeTenantId": found.get("tenantId", tenant["tenantId"]),
        "id": found["subscriptionId"], "isDefault": False, "managedByTenants": found.get("managedByTenants") or [],
        "name": found["displayName"], "state": found["state"], "tenantId": tenant["tenantId"],
        **{name: tenant[key] for name, key in _NAMES if tenant.get(key)},
        "user": {"name": signed.name, "type": signed.kind}, "login": signed.login,
    }  # fmt: skip


_NAMES = (("tenantDefaultDomain", "defaultDomain"), ("tenantDisplayName", "displayName"))
