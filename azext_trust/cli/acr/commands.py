"""Rows of ``acr`` and ``config content-trust``."""

from dataclasses import replace

from azext_trust.cli.acr import data_commands, token_commands
from azext_trust.cli.rows import (
    GENERIC_UPDATE,
    GROUP,
    LOCATION,
    TAGS,
    YES,
    Argument,
    Command,
    Example,
    Group,
    Rows,
    also_under,
    required,
)

_TABLE = "acr.shape:table"
_NAME = Argument("name", ("--name", "-n"), "The name of the container registry.", required=True)
_REGISTRY = Argument("registry", ("--registry", "-r", "--name", "-n"), "The name of the container registry.",
                     required=True)  # fmt: skip
_SKU = Argument("sku", ("--sku",), "The SKU of the container registry.", choices=("Basic", "Standard", "Premium"))
_ADMIN = Argument("admin_enabled", ("--admin-enabled",), "Indicates whether the admin user is enabled.", boolean=True)
_SETTINGS = (
    _ADMIN,
    Argument("allow_metadata_search", ("--allow-metadata-search",),
             "Enable or disable the metadata-search feature for the registry.", boolean=True),
    Argument("allow_trusted_services", ("--allow-trusted-services",),
             "Allow trusted Azure Services to access network restricted registries.", boolean=True),
    Argument("data_endpoint_enabled", ("--data-endpoint-enabled",),
             "Enable dedicated data endpoint for client firewall configuration.", boolean=True),
    Argument("default_action", ("--default-action",), "Default action to apply when no rule matches.",
             choices=("Allow", "Deny")),
    Argument("endpoint_protocol", ("--endpoint-protocol",), "The endpoint protocol for the registry.",
             choices=("IPv4", "IPv4AndIPv6")),
    Argument("regional_endpoints", ("--regional-endpoints",),
             "Indicates whether or not regional endpoints should be enabled.", choices=("Disabled", "Enabled")),
    Argument("writable_cache_repos", ("--writable-cache-repos",),
             "Enable or disable writing to repositories backed by cache rules.", choices=("Disabled", "Enabled")),
    Argument("public_network_enabled", ("--public-network-enabled",),
             "Allow public network access for the container registry.", boolean=True),
    Argument("allow_exports", ("--allow-exports",), "Allow artifacts to be exported from the registry.", boolean=True),
    Argument("role_assignment_mode", ("--role-assignment-mode",), "Role assignment mode of the registry.",
             choices=("rbac", "rbac-abac")),
    TAGS,
)  # fmt: skip
_LABEL = Argument(
    "dnl_scope", ("--dnl-scope",), "Domain name label scope: other than Unsecure, it adds a hash to the login server's name.",
    choices=("NoReuse", "ResourceGroupReuse", "SubscriptionReuse", "TenantReuse", "Unsecure"),
)  # fmt: skip
_CREDENTIALS = "{USERNAME: username, PASSWORD: passwords[0].value, PASSWORD2: passwords[1].value}"

_TRUST = (
    Command("acr config content-trust show", "acr.content_trust:show",
            "Show the configured content-trust policy for an Azure Container Registry.", (_REGISTRY, GROUP),
            (Example("Show the configured content-trust policy.", "aztrust acr config content-trust show -r myregistry"),)),
    Command(
        "acr config content-trust update", "acr.content_trust:update",
        "Update content-trust policy for an Azure Container Registry.",
        (
            _REGISTRY, GROUP,
            Argument("status", ("--status",), "Indicates whether content-trust is enabled.",
                     choices=("disabled", "enabled")),
            YES,
        ),
        (
            Example("Enable content trust.", "aztrust acr config content-trust update -r myregistry --status enabled"),
            Example("Disable content trust and lose all signatures, without a question.",
                    "aztrust acr config content-trust update -r myregistry --status disabled --yes"),
        ),
        details="Disabling deletes the trust data of every signed tag of every repository of the registry, for good. "
                "Images stay. Enabling again starts empty.",
    ),
)  # fmt: skip

ROWS = Rows(
    groups=(
        *data_commands.ROWS.groups,
        *token_commands.ROWS.groups,
        Group("acr", "Manage private registries with Azure Container Registries."),
        Group("acr config", "Configure policies for Azure Container Registries."),
        Group("acr config content-trust", "Manage content-trust policy for Azure Container Registries."),
        Group("acr credential", "Manage login credentials for Azure Container Registries."),
        Group("config", "Configure policies for Azure Container Registries (short for acr config)."),
        Group("config content-trust", "Manage content-trust policy for Azure Container Registries."),
    ),
    commands=(
        *data_commands.ROWS.commands,
        *token_commands.ROWS.commands,
        *_TRUST,
        *also_under("config", _TRUST, "acr config"),
        Command("acr create", "acr.registries:create", "Create an Azure Container Registry.",
                (_NAME, required(GROUP), required(_SKU), LOCATION, _LABEL, *_SETTINGS,
                 Argument("zone_redundancy", ("--zone-redundancy",), "Indicates whether or not zone redundancy should be "
                          "enabled for this registry.", choices=("Disabled", "Enabled"))),
                (Example("Create a managed container registry with the Premium SKU.",
                         "aztrust acr create -n myregistry -g MyResourceGroup --sku Premium"),), table=_TABLE),
        Command("acr show", "acr.registries:show", "Get the details of an Azure Container Registry.", (_NAME, GROUP),
                (Example("Get the id of a registry, the scope of role assignments.",
                         "aztrust acr show -n myregistry --query id -o tsv"),), table=_TABLE),
        Command("acr list", "acr.registries:listed", "List all the container registries under the current subscription.",
                (GROUP,), (Example("List container registries in a table.", "aztrust acr list -g MyResourceGroup -o table"),),
                table=_TABLE),
        Command(
            "acr update", "acr.update:update", "Update an Azure Container Registry.",
            (
                _NAME, GROUP, _SKU, *_SETTINGS,
                Argument("anonymous_pull_enabled", ("--anonymous-pull-enabled",),
                         "Enable registry-wide pull from unauthenticated clients.", boolean=True),
                *GENERIC_UPDATE,
            ),
            (
                Example("Change the SKU.", "aztrust acr update -n myregistry --sku Premium"),
                Example("Enable content trust as az does it.", "aztrust acr update -n myregistry --set "
                        "'policies={\"trustPolicy\":{\"status\":\"enabled\",\"type\":\"Notary\"}}'"),
            ),
            table=_TABLE,
        ),
        Command("acr delete", "acr.registries:delete", "Delete an Azure Container Registry.", (_NAME, GROUP, YES)),
        Command("acr check-name", "acr.registries:check_name",
                "Check if an Azure Container Registry name is valid and available for use.",
                (_NAME, replace(_LABEL, default="Unsecure"), GROUP)),
        Command("acr show-usage", "acr.registries:show_usage", "Get the storage usage for an Azure Container Registry.",
                (_NAME, GROUP),
                table='value[].{NAME: name, LIMIT: limit, "CURRENT VALUE": currentValue, UNIT: unit}'),
        Command("acr credential show", "acr.credentials:show", "Get the login credentials for a registry.",
                (_NAME, GROUP), table=_CREDENTIALS),
        Command("acr credential renew", "acr.credentials:renew", "Regenerate login credentials for a registry.",
                (_NAME, GROUP, Argument("password_name", ("--password-name",), "The name of password to regenerate.",
                                        required=True, choices=("password", "password2"))), table=_CREDENTIALS),
    ),
)  # fmt: skip
