"""Rows of ``group``."""

from azext_trust.cli.rows import GROUP, LOCATION, TAGS, YES, Argument, Command, Example, Group, Rows, required

_NAME = Argument("name", ("--name", "-n", "--resource-group", "-g"), GROUP.help, required=True)
_TABLE = "{Name: name, Location: location, Status: properties.provisioningState}"

ROWS = Rows(
    groups=(Group("group", "Manage resource groups."),),
    commands=(
        Command("group create", "group.groups:create", "Create a new resource group.", (_NAME, required(LOCATION), TAGS),
                (Example("Create a resource group.", "aztrust group create -l westeurope -n MyResourceGroup"),)),
        Command("group list", "group.groups:listed", "List resource groups.",
                (Argument("tag", ("--tag",), "A single tag in 'key[=value]' format."),), table=f"[].{_TABLE}"),
        Command("group show", "group.groups:show", "Get a resource group.", (_NAME,), table=_TABLE),
        Command("group exists", "group.groups:exists", "Check if a resource group exists.", (_NAME,)),
        Command("group delete", "group.groups:delete", "Delete a resource group, with all that is in it.",
                (_NAME, YES, Argument("no_wait", ("--no-wait",), "Do not wait for the operation to finish.", flag=True))),
    ),
)  # fmt: skip
