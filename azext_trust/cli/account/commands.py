"""Rows of ``login``, ``logout`` and ``account``."""

from azext_trust.cli.rows import Argument, Command, Example, Group, Rows

_TENANT = Argument("tenant", ("--tenant", "-t"), "The Microsoft Entra tenant: its id or a domain name.")
_SUBSCRIPTION = Argument("subscription", ("--name", "-n", "-s"), "Name or ID of subscription; so does --subscription.")
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
                 "Support accessing tenants without subscriptions. It's useful to run tenant-level commands, such as 'ad'.",
                 flag=True),
        Argument("scopes", ("--scope",), "Used in the /authorize request. It can cover only one static resource.", many="+"),
        Argument("claims_challenge", ("--claims-challenge",),
                 "Base64-encoded claims challenge requested by a resource API in the WWW-Authenticate header."),
        Argument("identity", ("--identity", "-i"), "Log in using managed identity.", flag=True),
        Argument("client_id", ("--client-id",), "Client ID of the user-assigned managed identity."),
        Argument("object_id", ("--object-id",), "Object ID of the user-assigned managed identity."),
        Argument("resource_id", ("--resource-id",), "Resource ID of the user-assigned managed identity."),
        Argument("skip_subscription_discovery", ("--skip-subscription-discovery", "--skip-sub"),
                 "Skip the subscription discovery process during login. Requires --tenant. Use with --subscription to "
                 "fetch a single subscription without listing all.", flag=True),
        Argument("subscription", ("-s",), "As --subscription: subscription ID or name to set as the default. When combined "
                 "with --skip-subscription-discovery, only this subscription is retrieved via a direct API call (must be a "
                 "subscription ID, not a name)."),
    ),
    (
        Example("Sign in to the embedded cloud as its Owner: no password, you hold its files.", "aztrust login"),
        Example("Log in with user name and password.", "aztrust login -u alain@contoso.com -p VerySecret"),
        Example("Log in with a service principal using client secret.",
                "aztrust login --service-principal -u APP_ID -p SECRET --tenant contoso.com"),
        Example("Log in with a service principal using client certificate.",
                "aztrust login --service-principal -u APP_ID --certificate ~/mycertfile.pem --tenant contoso.com"),
        Example("Log in with a managed identity, of which there is only one.", "aztrust login --identity"),
    ),
)  # fmt: skip

ROWS = Rows(
    groups=(Group("account", "Manage subscription information."), Group("account tenant", "Manage tenants.")),
    commands=(
        _LOGIN,
        Command("logout", "account.account:logout", "Log out to remove access to subscriptions.",
                (Argument("username", ("--username", "-u"), "Account user, if missing, the current one."),)),
        Command("account list", "account.account:listed", "Get a list of subscriptions for the logged in account.",
                (Argument("all", ("--all",), "List all subscriptions from all clouds, also those not 'Enabled'.",
                          flag=True),
                 Argument("refresh", ("--refresh",), "Retrieve up-to-date subscriptions from server.", flag=True)),
                table=_TABLE),
        Command("account list-locations", "account.account:list_locations",
                "List supported regions for the current subscription."),
        Command("account tenant list", "account.account:tenants", "Get the tenants for your account.",
                table="[].{TenantId: tenantId, DisplayName: displayName, DefaultDomain: defaultDomain}"),
        Command("account show", "account.account:show", "Get the details of a subscription.", (_SUBSCRIPTION,)),
        Command("account set", "account.account:choose", "Set a subscription to be the current active subscription.",
                (_SUBSCRIPTION,), (Example("Set the current subscription.", "aztrust account set -n Lab"),)),
        Command("account clear", "account.account:clear", "Clear all subscriptions from the local cache."),
        Command(
            "account get-access-token", "account.account:get_access_token", "Get a token for utilities to access Azure.",
            (
                _SUBSCRIPTION,
                _TENANT,
                Argument("resource", ("--resource",), "Azure resource endpoints in Microsoft Entra v1.0."),
                Argument("resource_type", ("--resource-type",), "Type of well-known resource.",
                         choices=("oss-rdbms", "arm", "aad-graph", "ms-graph", "batch", "media", "data-lake")),
                Argument("scopes", ("--scope",), "Space-separated scopes in Microsoft Entra v2.0.", many="*"),
            ),
            (Example("Get a token to use with Microsoft Graph.", "aztrust account get-access-token --resource-type ms-graph"),),
            table="{ExpiresOn: expiresOn, TokenType: tokenType, Tenant: tenant}",
        ),
    ),
)  # fmt: skip
