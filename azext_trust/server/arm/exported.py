"""A resource group as a template (ResourceGroups_ExportTemplate)."""

from __future__ import annotations

from azext_trust.server.arm import bodies, groups, resource_list
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store.transaction import Transaction

_SCHEMA = "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#"
_VERSIONS = {bodies.TYPE: "2025-11-01", bodies.IDENTITY: "2024-11-30"}


def template(transaction: Transaction, call: Call) -> Reply:
    """Return the resources of a group that the caller may read, as a template with a parameter for each name."""
    group, asked = groups.found(transaction, call), call.json().get("resources")
    wanted = [str(one).lower() for one in asked] if isinstance(asked, list) else ["*"]
    authoriser = Authoriser(transaction, call.caller)
    parameters: dict[str, object] = {}
    exported = []
    for one in resource_list.everything(transaction, call.params["subscription"], group.name):
        identifier, name = str(one.shown["id"]), str(one.shown["name"])
        if "*" not in wanted and identifier.lower() not in wanted:
            continue
        if not authoriser.allows(f"{one.kind}/read", identifier):
            continue
        parameter = f"{one.kind.rpartition('/')[2]}_{name}_name".replace("-", "_")
        parameters[parameter] = {"defaultValue": name, "type": "String"}
        more = {member: one.shown[member] for member in ("sku", "tags") if one.shown.get(member)}
        exported.append(
            {
                "type": one.kind, "apiVersion": _VERSIONS[one.kind], "name": f"[parameters('{parameter}')]",
                "location": one.shown["location"], **more, "properties": {},
            }
        )  # fmt: skip
    body = {
        "$schema": _SCHEMA, "contentVersion": "1.0.0.0", "parameters": parameters, "variables": {},
        "resources": exported,
    }  # fmt: skip
    return bodies.reply(call, {"template": body})
