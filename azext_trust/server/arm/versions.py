"""Which api-versions and regions are known (az-wire-contract.md sections 3 and 8)."""

from __future__ import annotations

import re

LOCATIONS = (
    "westeurope", "northeurope", "francecentral", "germanywestcentral", "swedencentral", "switzerlandnorth", "uksouth",
    "eastus", "eastus2", "centralus", "southcentralus", "westus", "westus2", "westus3", "canadacentral", "brazilsouth",
    "australiaeast", "centralindia", "japaneast", "koreacentral", "southeastasia", "southafricanorth", "uaenorth",
)  # fmt: skip

REGISTRY = (
    "2017-03-01", "2017-10-01", "2018-02-01-preview", "2018-09-01", "2019-04-01", "2019-05-01", "2019-05-01-preview",
    "2019-06-01-preview", "2019-12-01-preview", "2020-11-01-preview", "2021-06-01-preview", "2021-08-01-preview",
    "2021-09-01", "2021-12-01-preview", "2022-02-01-preview", "2022-12-01", "2023-01-01-preview", "2023-06-01-preview",
    "2023-07-01", "2023-08-01-preview", "2023-11-01-preview", "2024-11-01-preview", "2025-03-01-preview", "2025-04-01",
    "2025-11-01", "2026-09-01-preview",
)  # fmt: skip
AUTHORIZATION = (
    "2015-06-01", "2015-07-01", "2018-01-01-preview", "2018-07-01-preview", "2018-09-01-preview", "2020-04-01-preview",
    "2020-10-01-preview", "2022-04-01", "2022-05-01-preview", "2024-07-01-preview", "2025-12-01-preview",
)  # fmt: skip
RESOURCES = (
    "2014-04-01-preview", "2015-01-01", "2016-06-01", "2018-05-01", "2019-10-01", "2020-06-01", "2021-04-01",
    "2022-09-01", "2022-12-01", "2024-11-01",
)  # fmt: skip
IDENTITY = ("2018-11-30", "2021-09-30-preview", "2022-01-31-preview", "2023-01-31", "2024-11-30", "2025-05-31-preview")
_BY_NAMESPACE = {
    "microsoft.containerregistry": REGISTRY,
    "microsoft.authorization": AUTHORIZATION,
    "microsoft.managedidentity": IDENTITY,
}
_TYPE = re.compile(r".*/providers/(?P<namespace>[^/]+)(/(?P<type>[^/]+))?", re.IGNORECASE)


def of(path: str) -> tuple[str, tuple[str, ...]]:
    """Return the resource type that a path asks for and the api-versions known for it, oldest first."""
    found = _TYPE.match(path)
    if not found:
        return "resources", RESOURCES
    return found["type"] or found["namespace"], _BY_NAMESPACE.get(found["namespace"].lower(), RESOURCES)
