"""Rows of ``cloud``."""

from azext_trust.cli.rows import Argument, Command, Example, Group, Rows, optional

_NAME = Argument("name", ("--name", "-n"), "Name of a registered cloud.", required=True)
_TABLE = "{Name: name, IsActive: isActive, ResourceManager: endpoints.resourceManager}"

ROWS = Rows(
    groups=(Group("cloud", "Manage registered clouds, the embedded one among them."),),
    commands=(
        Command(
            "cloud init", "cloud.clouds:init", "Found the embedded cloud, or apply a seed file to it again.",
            (Argument("seed", ("--seed",), "Seed file (YAML). What exists is left as it is."),),
            (Example("Found a cloud with your own people and registries.", "aztrust cloud init --seed lab.yaml"),),
        ),
        Command("cloud list", "cloud.clouds:listed", "List registered clouds.", table=f"[].{_TABLE}"),
        Command("cloud show", "cloud.clouds:show", "Get the details of a registered cloud.", (optional(_NAME),),
                table=_TABLE),
        Command("cloud set", "cloud.clouds:choose", "Set the active cloud.", (_NAME,),
                (Example("Go back to the embedded cloud.", "aztrust cloud set -n Embedded"),)),
        Command(
            "cloud register", "cloud.clouds:register", "Register a cloud.",
            (
                _NAME,
                Argument("arm", ("--endpoint-resource-manager",), "The resource management endpoint.", required=True),
                Argument("ca", ("--ca",), "File of the certificate authority to trust (PEM). "
                         "Default: what REQUESTS_CA_BUNDLE names."),
            ),
            (Example("Register the cloud that 'aztrust serve' serves here.",
                     "aztrust cloud register -n served --endpoint-resource-manager https://localhost "
                     "--ca ~/.aztrust/cloud/ca/ca.pem"),),
        ),
        Command("cloud unregister", "cloud.clouds:unregister", "Unregister a cloud.", (_NAME,)),
    ),
)  # fmt: skip
