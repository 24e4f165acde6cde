"""The handlers of ``ad app federated-credential``."""

from __future__ import annotations

from typing import Any

from azext_trust.cli.context import Context
from azext_trust.cli.role.lookup import json_argument


def _path(context: Context, id: str, credential: str = "") -> str:
    place = f"/applications/{context.graph.application_id(id)}/federatedIdentityCredentials"
    return f"{place}/{credential}" if credential else place


def listed(context: Context, id: str) -> list[dict[str, Any]]:
    """Return an application's federated credentials."""
    return context.graph.listed(_path(context, id))


def create(context: Context, id: str, parameters: str) -> dict[str, Any]:
    """Trust a subject of another issuer."""
    made: dict[str, Any] = context.graph.call("POST", _path(context, id), json_argument(parameters, "--parameters"))
    return made


def show(context: Context, id: str, federated_credential_id: str) -> dict[str, Any]:
    """Return one federated credential."""
    found: dict[str, Any] = context.graph.call("GET", _path(context, id, federated_credential_id))
    return found


def update(context: Context, id: str, federated_credential_id: str, parameters: str) -> None:
    """Change a federated credential."""
    body = json_argument(parameters, "--parameters")
    context.graph.call("PATCH", _path(context, id, federated_credential_id), body)


def delete(context: Context, id: str, federated_credential_id: str) -> None:
    """Delete a federated credential."""
    context.graph.call("DELETE", _path(context, id, federated_credential_id))
