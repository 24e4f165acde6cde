"""Rows of ``login``, ``logout`` and ``account``."""

from azext_trust.cli.rows import Argument, Command, Example, Group, Rows, required

_TENANT = Argument("tenant", ("--tenant", "-t"), "The Microsoft Entra tenant: its id or a domain name.")
_SUBSCRIPTION = Argument("subscription", ("--name", "-n", "-s"), "Name or ID of subscription.")
_TABLE = (
    "[].{Name: name, CloudName: cloudName, SubscriptionId: id, TenantId: tenantId, State: state, IsDefault: isDefault}"
)

_LOGIN = Command(
    "login", "account.login:login", "Log in to Azure, or to a local one.",
    (
        Argument("username", ("--username", "-u"), "User name or service principal client ID."),
        Argument("password", ("--password", "-p"), "User password or service principal secret. Asked for if missing."),
        Argument("service_principal", ("--service-principal",), "Log in with a service principal.", flag=True),
        _TENANT,
        Argument("certificate", ("--certificate",), "PEM file with key and public certificate."),
        Argument("federated_token", ("--federated-token",), "Federated token that is exchanged for access tokens."),
        Argument("use_device_code", ("--use-device-code",), "Sign in on another device, with a code.", flag=True),
        Argument("use_cert_sn_issuer", ("--use-cert-sn-issuer",),
                 "Send the certificate chain too (Subject Name + Issuer authentication).", flag=True),
        Argument("allow_no_subscriptions", ("--allow-no-subscriptions",),
                 "Support accessing tenants without subscriptions.", flag=True),
    ),
    (
        Example("Sign in to the embedded cloud as its Owner: no password, you hold its files.", "aztrust login"),
        Example("Log in with user name and password.", "aztrust login -u alain@contoso.com -p VerySecret"),
        Example("Log in with a service principal using client secret.",
                "aztrust login --service-principal -u APP_ID -p SECRET --tenant contoso.com"),
    ),
    table=_TABLE,
)  # fmt: skip

ROWS = Rows(
    groups=(Group("account", "Manage subscription information."),),
    commands=(
        _LOGIN,
        Command("logout", "account.account:logout", "Log out to remove access to subscriptions.",
                (Argument("username", ("--username", "-u"), "Account user, if missing, the current one."),)),
        Command("account list", "account.account:listed", "Get a list of subscriptions for the logged in account.",
                (Argument("all", ("--all",), "List all subscriptions from all clouds, also those not 'Enabled'.",
                          flag=True),), table=_TABLE),
        Command("account show", "account.account:show", "Get the details of a subscription.", (_SUBSCRIPTION,),
                table="{EnvironmentName: environmentName, HomeTenantId: homeTenantId, IsDefault: isDefault, Name: name, "
                      "State: state, TenantId: tenantId}"),
        Command("account set", "account.account:choose", "Set a subscription to be the current active subscription.",
                (required(_SUBSCRIPTION),), (Example("Set the current subscription.", "aztrust account set -n Lab"),)),
        Command("account clear", "account.account:clear", "Clear all subscriptions from the local cache."),
        Command(
            "account get-access-token", "account.account:get_access_token", "Get a token for utilities to access Azure.",
            (
                _SUBSCRIPTION,
                _TENANT,
                Argument("resource", ("--resource",), "Azure resource endpoints in Microsoft Entra v1.0."),
                Argument("resource_type", ("--resource-type",), "Type of well-known resource.",
                         choices=("arm", "ms-graph", "acr")),
                Argument("scopes", ("--scope",), "Space-separated scopes in Microsoft Entra v2.0.", many="+"),
            ),
            (Example("Get a token to use with Microsoft Graph.", "aztrust account get-access-token --resource-type ms-graph"),),
            table="{ExpiresOn: expiresOn, TokenType: tokenType, Tenant: tenant}",
        ),
    ),
)  # fmt: skip
