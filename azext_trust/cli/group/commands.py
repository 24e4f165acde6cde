"""Rows of ``group``."""

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
    required,
)

_NAME = Argument("name", ("--name", "-n", "--resource-group", "-g"), GROUP.help, required=True)
_FORCED = ("Microsoft.Compute/virtualMachineScaleSets", "Microsoft.Compute/virtualMachines")
_WAIT = (
    Argument("created", ("--created",), "Wait until created with 'provisioningState' at 'Succeeded'.", flag=True),
    Argument("updated", ("--updated",), "Wait until updated with provisioningState at 'Succeeded'.", flag=True),
    Argument("deleted", ("--deleted",), "Wait until deleted.", flag=True),
    Argument("exists", ("--exists",), "Wait until the resource exists.", flag=True),
    Argument("interval", ("--interval",), "Polling interval in seconds.", number=True, default=30),
    Argument("timeout", ("--timeout",), "Maximum wait in seconds.", number=True, default=3600),
)
_TABLE = "{Name: name, Location: location, Status: properties.provisioningState}"

ROWS = Rows(
    groups=(Group("group", "Manage resource groups."),),
    commands=(
        Command("group create", "group.groups:create", "Create a new resource group.", (_NAME, required(LOCATION), TAGS,
                 Argument("managed_by", ("--managed-by",), "The ID of the resource that manages this resource group.")),
                (Example("Create a resource group.", "aztrust group create -l westeurope -n MyResourceGroup"),)),
        Command("group list", "group.groups:listed", "List resource groups.",
                (Argument("tag", ("--tag",), "A single tag in 'key[=value]' format."),), table=f"[].{_TABLE}"),
        Command("group show", "group.groups:show", "Get a resource group.", (_NAME,), table=_TABLE),
        Command("group update", "group.groups:update", "Update a resource group.", (_NAME, TAGS, *GENERIC_UPDATE)),
        Command("group wait", "group.groups:wait", "Place the CLI in a waiting state until a condition of the resource group "
                "is met.", (_NAME, *_WAIT)),
        Command("group exists", "group.groups:exists", "Check if a resource group exists.", (_NAME,)),
        Command("group delete", "group.groups:delete", "Delete a resource group, with all that is in it.",
                (_NAME, YES, Argument("no_wait", ("--no-wait",), "Do not wait for the operation to finish.", flag=True),
                 Argument("force_deletion_types", ("--force-deletion-types", "-f"), "The resource types you want to force "
                          "delete.", choices=_FORCED))),
    ),
)  # fmt: skip
