"""The handler of ``ad sp create-for-rbac``: application, credential, service principal, roles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.ad import applications, credentials
from azext_trust.cli.ad.certificates import key_credential
from azext_trust.cli.context import Context
from azext_trust.cli.role import assignments
from azext_trust.clients.graph import quoted

logger = get_logger(__name__)


def create(
    context: Context, display_name: str | None = None, role: str | None = None, scopes: list[str] | None = None,
    years: int | None = None, create_password: bool = True, create_cert: bool = False, cert: str | None = None,
    json_auth: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Make a service principal that can sign in; an existing application of the name gets a new credential.

    Raises:
        CLIError: a role was given without a scope, or the other way round.
    """
    if bool(role) != bool(scopes):
        raise CLIError("Usage error: To create role assignments, specify both --role and --scopes.")
    name = display_name or f"aztrust-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S}"
    held = context.graph.listed("/servicePrincipals", f"displayName eq {quoted(name)}") if display_name else []
    end = credentials.ends(years, None)
    used = credentials.certificate(create_cert, cert, end)
    keys = [key_credential(used, end)] if used else None
    application = applications.create(context, name, key_credentials=keys)
    place = f"/applications/{application['id']}"
    credentials.forget_passwords(context, place, application)
    password = credentials.add_password(context, place, "rbac", end) if create_password and not used else None
    body = {"appId": application["appId"], "accountEnabled": True}
    principal = held[0] if held else context.graph.call("POST", "/servicePrincipals", body)
    for scope in scopes or []:
        logger.warning("Creating '%s' role assignment under scope '%s'", role, scope)
        assignments.create(context, str(role), scope, assignee_object_id=principal["id"],
                           assignee_principal_type="ServicePrincipal")  # fmt: skip
    if password or used:
        logger.warning(credentials.WARNING)
    file = used.file if used else ""
    return (_for_sdks if json_auth else _plain)(context, application, password, file)


def _plain(context: Context, application: dict[str, Any], password: str | None, file: str) -> dict[str, Any]:
    found = {
        "appId": application["appId"], "displayName": application["displayName"], "password": password,
        "tenant": context.connection.account["tenantId"],
    }  # fmt: skip
    return {**found, "fileWithCertAndPrivateKey": file} if file else found


def _for_sdks(context: Context, application: dict[str, Any], password: str | None, file: str) -> dict[str, Any]:
    profile = context.connection.profile
    found = {
        "clientId": application["appId"], "clientSecret": password, "clientCertificate": file or None,
        "subscriptionId": context.connection.subscription, "tenantId": context.connection.account["tenantId"],
        "activeDirectoryEndpointUrl": profile.login, "resourceManagerEndpointUrl": f"{profile.arm}/",
        "managementEndpointUrl": profile.audience,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}
