"""How az prints what the account commands answer."""

from __future__ import annotations

from typing import Any

_LOCATION = ("availabilityZoneMappings", "displayName", "id", "metadata", "name", "regionalDisplayName", "type")
_METADATA = (
    "geography", "geographyGroup", "homeLocation", "latitude", "longitude", "pairedRegion", "physicalLocation",
    "regionCategory", "regionType",
)  # fmt: skip


def location(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a region with every member that az shows, those the service left out as null."""
    return {**dict.fromkeys(_LOCATION), **raw, "metadata": {**dict.fromkeys(_METADATA), **(raw.get("metadata") or {})}}
