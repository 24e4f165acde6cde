"""The handler of ``login``: sign in, then find the subscriptions."""

from __future__ import annotations

import base64
import binascii
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from knack.log import get_logger
from knack.prompting import NoTTYException, prompt_pass
from knack.util import CLIError

from azext_trust.cli.context import Context
from azext_trust.names.guids import is_guid

if TYPE_CHECKING:
    from azext_trust.cloud.sign_in import Asked, SignedIn

logger = get_logger(__name__)

_DISCOURAGED = (
    "Using authentication with username and password in the command line is strongly discouraged. Consider using one of "
    "the recommended authentication methods. For more details, see https://go.microsoft.com/fwlink/?linkid=2276314"
)


@dataclass(frozen=True)
class _Typed:
    """What was typed, beyond names and secrets."""

    tenant: str | None
    scopes: list[str] | None
    claims: str | None
    allow_none: bool
    skip: bool
    subscription: str | None

    def asked(self) -> Asked:
        """Return what the sign-in is for."""
        from azext_trust.cloud.sign_in import Asked

        return Asked(self.tenant, self.scopes, self.claims)


def login(  # one parameter for each flag
    context: Context, username: str | None = None, password: str | None = None, service_principal: bool = False,
    tenant: str | None = None, certificate: str | None = None, federated_token: str | None = None,
    use_device_code: bool = False, use_cert_sn_issuer: bool = False, allow_no_subscriptions: bool = False,
    scopes: list[str] | None = None, claims_challenge: str | None = None, identity: bool = False,
    client_id: str | None = None, object_id: str | None = None, resource_id: str | None = None,
    skip_subscription_discovery: bool = False, subscription: str | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Sign in and keep the subscriptions that were found.

    Raises:
        CLIError: the options do not fit together, or no subscription was found.
        azext_trust.cloud.errors.CloudError: the sign-in was refused.
    """
    if identity and (password or service_principal or tenant):
        raise CLIError("usage error: '--identity' is not applicable with other arguments")
    if identity and username:
        raise CLIError(
            "Passing the managed identity ID with --username is no longer supported. "
            "Use --client-id, --object-id or --resource-id instead."
        )
    if use_device_code and (password or service_principal or username or identity):
        raise CLIError("usage error: '--use-device-code' is not applicable with other arguments")
    if use_cert_sn_issuer and not service_principal:
        raise CLIError("usage error: '--use-sn-issuer' is only applicable with a service principal")
    if service_principal and not username:
        raise CLIError("usage error: --service-principal --username NAME --password SECRET --tenant TENANT")
    subscription = subscription or context.subscription
    _check_discovery(skip_subscription_discovery, tenant, subscription)
    typed = _Typed(_resolved(context, tenant), scopes, _challenge(claims_challenge), allow_no_subscriptions,
                   skip_subscription_discovery, subscription)  # fmt: skip
    if identity:
        named = {"client_id": client_id, "object_id": object_id, "resource_id": resource_id}
        return _keep_identity(context, _identity(context, {k: v for k, v in named.items() if v}), typed)
    if service_principal:
        credential = _credential(password, certificate, federated_token, use_cert_sn_issuer)
        signed = _service_principal(context, str(username), typed, credential)
    elif username:
        signed = _user(context, username, password, typed)
    else:
        signed = _without_name(context, typed, use_device_code)
    return _keep(context, signed, typed)


def _check_discovery(skip: bool, tenant: str | None, subscription: str | None) -> None:
    if skip and not tenant:
        raise CLIError("usage error: '--skip-subscription-discovery' requires '--tenant'")
    if skip and subscription and not is_guid(subscription):
        raise CLIError(
            "usage error: '--subscription' must be a subscription ID (GUID), not a name, when combined with "
            "'--skip-subscription-discovery'."
        )


def _challenge(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise CLIError("--claims-challenge is no base64 text.") from None


def _resolved(context: Context, tenant: str | None) -> str | None:
    """Return a tenant's id, as az finds it: from the issuer that the domain's OpenID configuration names.

    Raises:
        CLIError: there is no such tenant.
    """
    if tenant is None or is_guid(tenant):
        return tenant
    connection = context.connection
    where = f"{connection.profile.login}/{tenant}/v2.0/.well-known/openid-configuration"
    answer = connection.send("GET", where)
    if answer.status_code != 200:
        raise CLIError(f"Failed to resolve tenant '{tenant}'.\n\nError detail: {answer.text}")
    return str(answer.json()["issuer"]).split("/")[3]


def _asked(prompt: str) -> str:
    try:
        return str(prompt_pass(prompt))
    except NoTTYException:
        raise CLIError("Please specify both username and password in non-interactive mode.") from None


def _credential(
    password: str | None, certificate: str | None, federated_token: str | None, chain: bool
) -> dict[str, str]:
    from azext_trust.cloud.sign_in import read_certificate

    if not (password or certificate or federated_token):
        password = _asked("Password: ")
    if password:
        return {"secret": password}
    if certificate:
        kept = {"certificate": read_certificate(certificate)}
        return {**kept, "chain": "yes"} if chain else kept
    return {"assertion": str(federated_token)}


def _service_principal(context: Context, client_id: str, typed: _Typed, credential: dict[str, str]) -> SignedIn:
    from azext_trust.cloud import azure, sign_in

    connection = context.connection
    if connection.profile.kind == "azure":
        login = {"way": next(iter(credential)), "clientId": client_id, **credential}
        return azure.sign_in(connection.cache_name, login, typed.tenant, connection.door().scope)
    return sign_in.service_principal(connection.door(), client_id, typed.tenant, credential)


def _identity(context: Context, named: dict[str, str]) -> SignedIn:
    from azext_trust.cloud import azure, sign_in

    if len(named) > 1:
        raise CLIError("Usage error: Provide only one of --client-id, --object-id, --resource-id.")
    connection = context.connection
    if connection.profile.kind != "azure":
        return sign_in.managed_identity(connection.door(), named)
    kind, value = next(iter(named.items()), ("", ""))
    info = f"{sign_in.IDENTITY_KINDS[kind]}-{value}" if kind else "MSI"
    return azure.sign_in(connection.cache_name, {"way": "identity", "identity": info}, None, connection.door().scope)


def _user(context: Context, name: str, password: str | None, typed: _Typed) -> SignedIn:
    from azext_trust.cloud import sign_in

    if context.connection.profile.kind == "azure":
        raise CLIError(
            "Entra ID no longer lets azure-identity sign users in with a password. Use 'aztrust login' or --use-device-code."
        )
    logger.warning(_DISCOURAGED)
    return sign_in.password(context.connection.door(), name, password or _asked("Password: "), typed.asked())


def _without_name(context: Context, typed: _Typed, use_device_code: bool) -> SignedIn:
    from azext_trust.cloud import azure, sign_in

    connection = context.connection
    kind = connection.profile.kind
    if kind == "azure":
        way = {"way": "device-code" if use_device_code else "browser"}
        scope = " ".join(typed.scopes or [connection.door().scope])
        return azure.sign_in(connection.cache_name, way, typed.tenant, scope, typed.claims)
    if kind == "embedded":
        if use_device_code:
            return _on_a_page_of_our_own(context, typed)
        signed = sign_in.embedded_owner(connection.door(), connection.operator_key())
        print(f"Signed in to the embedded cloud as {signed.name}, the first user who is Owner.", file=sys.stderr)
        return signed
    way_in = sign_in.device_code if use_device_code else sign_in.browser
    return way_in(connection.door(), typed.asked())


def _on_a_page_of_our_own(context: Context, typed: _Typed) -> SignedIn:
    """Sign in with a code, to an embedded cloud: its pages are served for as long as that takes."""
    from azext_trust import home
    from azext_trust.cloud import sign_in
    from azext_trust.hosting.listener import HostingError
    from azext_trust.hosting.pages import served

    connection = context.connection
    door = connection.door()
    connection.operator_key()  # the first request founds the cloud
    try:
        with served(home.cloud_dir(context.state)) as origin:
            return sign_in.device_code(door, typed.asked(), f"{origin}/common/oauth2/deviceauth")
    except HostingError as error:
        raise CLIError(str(error)) from None


def _keep_identity(context: Context, signed: SignedIn, typed: _Typed) -> list[dict[str, Any]]:
    rows = _found(context, signed, signed.tenant)
    if not rows and typed.allow_none:
        rows = [_tenant_level(context, signed, signed.tenant)]
    if not rows:
        raise CLIError(
            "No access was configured for the managed identity, hence no subscriptions were found. If this is expected, "
            "use '--allow-no-subscriptions' to have tenant level access."
        )
    return _saved(context, rows, None)


def _keep(context: Context, signed: SignedIn, typed: _Typed) -> list[dict[str, Any]]:
    bare = typed.skip and not typed.subscription
    rows = [] if bare else _wanted(context, signed, typed)
    if not rows and not typed.allow_none and not bare:
        if typed.skip:
            raise CLIError(
                f"The subscription '{typed.subscription}' could not be retrieved for '{signed.name}'. "
                "Ensure the subscription exists and that you have access to it."
            )
        raise CLIError(f"No subscriptions found for {signed.name}.")
    if not rows:
        rows = [_tenant_level(context, signed, typed.tenant or signed.tenant)]
    return _saved(context, rows, typed.subscription)


def _wanted(context: Context, signed: SignedIn, typed: _Typed) -> list[dict[str, Any]]:
    """Return the accounts that the sign-in is for: of one subscription, of one tenant, or of all."""
    if not typed.skip:
        return _found(context, signed, typed.tenant)
    from azext_trust.cloud.errors import HttpError

    context.connection.account = _row(context, signed, {"tenantId": typed.tenant}, None)
    try:
        found = context.arm.call("GET", f"/subscriptions/{typed.subscription}", "subscriptions")
    except HttpError as error:
        logger.warning("Failed to retrieve subscription %s: %s", typed.subscription, error)
        return []
    return [_row(context, signed, {"tenantId": typed.tenant}, found)]


def _saved(context: Context, rows: list[dict[str, Any]], preferred: str | None) -> list[dict[str, Any]]:
    from azext_trust.cloud.accounts import listed_form

    kept = context.connection.accounts.add(rows, preferred)
    if not preferred:
        return [listed_form(row) for row in kept]
    fitting = [row for row in kept if preferred.lower() in (row["id"].lower(), row["name"].lower())]
    if not fitting:
        raise CLIError(f"Subscription '{preferred}' not found. Check the ID or name and try again.")
    return [listed_form(row) for row in fitting]


def _tenant_level(context: Context, signed: SignedIn, tenant: str) -> dict[str, Any]:
    return _row(context, signed, {"tenantId": tenant}, None)


def _found(context: Context, signed: SignedIn, tenant: str | None) -> list[dict[str, Any]]:
    """Return an account for each subscription of each tenant that the user is in; of one tenant when it was named."""
    tenants: list[dict[str, Any]] = [{"tenantId": tenant or signed.tenant}]
    context.connection.account = _row(context, signed, tenants[0], None)
    if signed.kind == "user" and not tenant:
        tenants = context.arm.listed("/tenants", "subscriptions")
    rows: list[dict[str, Any]] = []
    empty = []
    for row in tenants:
        context.connection.account = _row(context, signed, row, None)
        found = context.arm.listed("/subscriptions", "subscriptions")
        rows += [_row(context, signed, row, s) for s in found if s["subscriptionId"] not in {r["id"] for r in rows}]
        empty += [row] if not found and signed.kind == "user" and not tenant else []
    if empty:
        logger.warning("The following tenants don't contain accessible subscriptions. "
                       "Use `aztrust login --allow-no-subscriptions` to have tenant level access.")  # fmt: skip
    for row in empty:
        logger.warning(
            "%s '%s'" if row.get("displayName") else "%s", *filter(None, (row["tenantId"], row.get("displayName")))
        )
    return rows


def found_again(context: Context, account: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the accounts of somebody who is signed in, looked up anew (``account list --refresh``)."""
    from azext_trust.cloud.accounts import TENANT_LEVEL
    from azext_trust.cloud.sign_in import SignedIn

    user = account["user"]
    details = {name: value for name, value in user.items() if name not in ("name", "type")}
    signed = SignedIn(user["name"], user["type"], account["tenantId"], account["login"], details)
    found = _found(context, signed, account["tenantId"] if signed.kind != "user" else None)
    return found or ([account] if account["name"] == TENANT_LEVEL else [])


def _row(
    context: Context, signed: SignedIn, tenant: dict[str, Any], subscription: dict[str, Any] | None
) -> dict[str, Any]:
    """Return an account as az keeps it, with what is needed to renew its tokens."""
    from azext_trust.cloud.accounts import TENANT_LEVEL

    user = {"name": signed.name, "type": signed.kind, **signed.details}
    head = {"environmentName": context.connection.profile.name}
    tail = {"tenantId": tenant["tenantId"], "user": user, "login": signed.login}
    if subscription is None:
        return {**head, "id": tenant["tenantId"], "isDefault": False, "name": TENANT_LEVEL, "state": "Enabled", **tail}
    return {
        **head, "homeTenantId": subscription.get("tenantId", tenant["tenantId"]), "id": subscription["subscriptionId"],
        "isDefault": False, "managedByTenants": subscription.get("managedByTenants") or [],
        "name": subscription["displayName"], "state": subscription["state"],
        **{name: tenant[key] for name, key in _NAMES if tenant.get(key)}, **tail,
    }  # fmt: skip


_NAMES = (("tenantDefaultDomain", "defaultDomain"), ("tenantDisplayName", "displayName"))
