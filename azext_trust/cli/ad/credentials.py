"""The handlers of ``ad app credential`` and ``ad sp credential``: both are kept alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.ad.certificates import Certificate, created, key_credential, read
from azext_trust.cli.context import Context

logger = get_logger(__name__)
WARNING = (
    "The output includes credentials that you must protect. Be sure that you do not include these credentials in your code "
    "or check the credentials into your source control. For more information, see https://aka.ms/azadsp-cli"
)


def of_application(context: Context, id: str, cert: bool = False) -> list[dict[str, Any]]:
    """Return an application's credentials, without their secrets."""
    return _kept(context.graph.application(id), cert)


def of_principal(context: Context, id: str, cert: bool = False) -> list[dict[str, Any]]:
    """Return a service principal's own credentials, without their secrets."""
    return _kept(context.graph.service_principal(id), cert)


def _kept(holder: dict[str, Any], cert: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = holder["keyCredentials" if cert else "passwordCredentials"]
    return found


def reset_application(context: Context, id: str, **given: Any) -> dict[str, Any]:
    """Replace an application's credentials."""
    return _reset(context, "/applications", context.graph.application(id), **given)


def reset_principal(context: Context, id: str, **given: Any) -> dict[str, Any]:
    """Replace a service principal's credentials."""
    return _reset(context, "/servicePrincipals", context.graph.service_principal(id), **given)


def ends(years: int | None, end_date: str | None) -> datetime:
    """Return when a new credential ends.

    Raises:
        CLIError: both were given, or it is no date.
    """
    if years is not None and end_date is not None:
        raise CLIError("usage error: --years | --end-date")
    if end_date is None:
        return datetime.now(UTC) + timedelta(days=365 * (1 if years is None else years))
    try:
        found = datetime.fromisoformat(end_date)
    except ValueError:
        raise CLIError(f"'{end_date}' is no date: 2027-12-31 or 2027-12-31T11:59:59+00:00.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def certificate(create: bool, text: str | None, end: datetime) -> Certificate | None:
    """Return the certificate to use: a new one, the one given, or none."""
    return created(end) if create else read(text) if text else None


def _reset(
    context: Context, path: str, holder: dict[str, Any], append: bool = False, display_name: str | None = None,
    end_date: str | None = None, years: int | None = None, create_cert: bool = False, cert: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    place, end = f"{path}/{holder['id']}", ends(years, end_date)
    used = certificate(create_cert, cert, end)
    if not append:
        forget_passwords(context, place, holder)
    result = {"appId": holder["appId"], "password": None, "tenant": context.connection.account["tenantId"]}
    if used is None:
        result["password"] = add_password(context, place, display_name, end)
    else:
        kept = holder["keyCredentials"] if append else []
        context.graph.call("PATCH", place, {"keyCredentials": [*kept, key_credential(used, end, display_name)]})
        if used.file:
            result["fileWithCertAndPrivateKey"] = used.file
    logger.warning(WARNING)
    return result


def forget_passwords(context: Context, place: str, holder: dict[str, Any]) -> None:
    """Remove all passwords of an application or service principal."""
    for row in holder["passwordCredentials"]:
        context.graph.call("POST", f"{place}/removePassword", {"keyId": row["keyId"]})


def add_password(context: Context, place: str, name: str | None, end: datetime) -> str:
    """Add a password that the service makes, and return it."""
    wanted = {"startDateTime": _text(datetime.now(UTC)), "endDateTime": _text(end)}
    body = {"passwordCredential": {**wanted, **({"displayName": name} if name else {})}}
    return str(context.graph.call("POST", f"{place}/addPassword", body)["secretText"])


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def delete_application(context: Context, id: str, key_id: str, cert: bool = False) -> None:
    """Remove one credential of an application."""
    _delete(context, "/applications", context.graph.application(id), key_id, cert)


def delete_principal(context: Context, id: str, key_id: str, cert: bool = False) -> None:
    """Remove one credential of a service principal."""
    _delete(context, "/servicePrincipals", context.graph.service_principal(id), key_id, cert)


def _delete(context: Context, path: str, holder: dict[str, Any], key_id: str, cert: bool) -> None:
    if not cert:
        context.graph.call("POST", f"{path}/{holder['id']}/removePassword", {"keyId": key_id})
        return
    rest = [row for row in holder["keyCredentials"] if row["keyId"] != key_id]
    if len(rest) == len(holder["keyCredentials"]):
        raise CLIError(f"No key credential found with keyId as '{key_id}' in graph object '{holder['id']}'.")
    context.graph.call("PATCH", f"{path}/{holder['id']}", {"keyCredentials": rest})
