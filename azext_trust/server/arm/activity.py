"""The activity log as Azure Monitor shows it: a begin and an end event for each operation (real-responses.md 4.4)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from azext_trust.names import scopes
from azext_trust.rbac import operations
from azext_trust.server.arm import activity_filter, bodies, paging
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import activity, activity_pages, clock
from azext_trust.server.store.activity import ActivityEntry
from azext_trust.server.store.transaction import Transaction

PAGE = 100
"""Operations a page; each has two events."""
Event = dict[str, object]
_TITLES = {
    "Microsoft.Authorization/roleAssignments/write": "Create role assignment",
    "Microsoft.Authorization/roleAssignments/delete": "Delete role assignment",
    "Microsoft.Authorization/roleDefinitions/write": "Create or update custom role definition",
    "Microsoft.Authorization/roleDefinitions/delete": "Delete custom role definition",
    "Microsoft.Authorization/elevateAccess/action": "Assigns the caller to User Access Administrator role",
    "Microsoft.ContainerRegistry/registries/write": "Create or Update Container Registry",
    "Microsoft.ContainerRegistry/registries/delete": "Delete Container Registry",
    "Microsoft.ContainerRegistry/registries/listCredentials/action": "List the Login Credentials of Container Registry",
    "Microsoft.Resources/subscriptions/resourceGroups/write": "Update resource group",
    "Microsoft.Resources/subscriptions/resourceGroups/delete": "Delete resource group",
}
_OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_CATEGORIES = ("Administrative", "Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale",
               "ResourceHealth")  # fmt: skip


def categories(transaction: Transaction, call: Call) -> Reply:
    """Return the categories of events."""
    return bodies.reply(call, {"value": [_word(name) for name in _CATEGORIES]})


def values(transaction: Transaction, call: Call) -> Reply:
    """Return a page of events at a scope and below it, newest first."""
    asked = activity_filter.parse(call.query.get("$filter", ""))
    token = call.query.get("$skiptoken", "")
    until = asked.until or transaction.now() + timedelta(seconds=1)
    wanted = activity_pages.Asked(
        scopes.key(call.params["scope"]), clock.to_text(asked.since), clock.to_text(until),
        int(token) if token.isdigit() and len(token) < 18 else None, asked.wanted.get("correlationid", ""),
    )  # fmt: skip
    chosen = {name.strip() for name in call.query.get("$select", "").split(",") if name.strip()}
    shown: list[Event] = []
    last, count = 0, 0
    for entry in activity_pages.newest_first(transaction.session, wanted):
        found = [event for event in events(entry, transaction.tenant_id()) if _fits(event, asked.wanted)]
        if not found:
            continue
        if count == PAGE:
            link = paging.next_link(call, str(last))
            return bodies.reply(call, {"nextLink": link.replace("$skiptoken", "$skipToken"), "value": shown})
        shown += [{name: event[name] for name in event if not chosen or name in chosen} for event in found]
        last, count = entry.sequence, count + 1
    return bodies.reply(call, {"value": shown})


def _fits(event: Event, wanted: Mapping[str, str]) -> bool:
    resource = str(event["resourceId"]).lower()
    held = {
        "resourcegroupname": str(event["resourceGroupName"]).lower(), "resourceuri": resource, "resourceid": resource,
        "resourceprovider": _value(event["resourceProviderName"]), "caller": str(event["caller"]).lower(),
        "correlationid": str(event["correlationId"]).lower(), "status": _value(event["status"]),
        "eventchannels": wanted.get("eventchannels", ""), "levels": str(event["level"]).lower(),
        "operations": _value(event["operationName"]),
    }  # fmt: skip
    return all(_same(name, held[name], value) for name, value in wanted.items())


def _same(name: str, held: str, value: str) -> bool:
    if name in ("resourceuri", "resourceid"):
        return held == value.rstrip("/") or held.startswith(value.rstrip("/") + "/")
    return held in (value, *re.split(r"\s*,\s*", value)) if name in ("levels", "operations") else held == value


def _value(word: object) -> str:
    return str(word["value"]).lower() if isinstance(word, dict) else ""


def _word(value: str, localized: str | None = None) -> dict[str, str]:
    return {"value": value, "localizedValue": value if localized is None else localized}


def events(entry: ActivityEntry, tenant: str) -> Iterator[Event]:
    """Yield the end event of an operation, then its begin event; a refusal has an end alone."""
    details = activity.details_of(entry)
    status = HTTPStatus(403 if entry.outcome == "Denied" else int(str(details.get("status", 200))))
    title = status.phrase.title().replace(" ", "") if status != HTTPStatus.OK else "OK"
    sub = _word(title, f"{title} (HTTP Status Code: {status.value})")
    event = _event(entry, details, tenant)
    ended = _word("Failed" if entry.outcome != "Allowed" else "Succeeded")
    yield event | _timed(entry, "EndRequest", "End request", 0) | {
        "status": ended, "subStatus": sub, "properties": _end_properties(entry, details, title),
        "level": "Error" if entry.outcome != "Allowed" else "Informational",
    }  # fmt: skip
    if entry.outcome == "Allowed":
        begun = {"status": _word("Started"), "subStatus": _word("", ""), "level": "Informational"}
        yield event | _timed(entry, "BeginRequest", "Begin request", 1) | begun | {
            "properties": _begin_properties(entry, details)
        }  # fmt: skip


def _event(entry: ActivityEntry, details: Mapping[str, object], tenant: str) -> Event:
    parts = scopes.canonical(entry.scope)[1:].split("/")
    lower = [part.lower() for part in parts]
    group = parts[3] if len(parts) > 3 and lower[2] == "resourcegroups" else ""
    provider, _, kind = entry.operation.rpartition("/")[0].partition("/")
    caller = str(details.get("callerName") or entry.caller_id)
    return {
        "authorization": {"action": entry.operation, "scope": entry.scope}, "caller": caller, "channels": "Operation",
        "claims": _claims(entry, details, tenant), "correlationId": entry.correlation_id, "description": "",
        "category": _word("Administrative"),
        "httpRequest": {
            "clientRequestId": details.get("clientRequestId") or entry.correlation_id, "clientIpAddress": "127.0.0.1",
            "method": details.get("method"),
        },
        "resourceGroupName": group, "resourceProviderName": _word(provider), "resourceId": entry.scope,
        "resourceType": _word(f"{provider}/{kind}"), "operationId": entry.correlation_id,
        "operationName": _word(entry.operation, _title(entry.operation)),
        "subscriptionId": parts[1] if lower[0] == "subscriptions" and len(parts) > 1 else "", "tenantId": tenant,
    }  # fmt: skip


def _title(operation: str) -> str:
    known = operations.operations().get(operation.lower())
    return _TITLES.get(operation) or (known.description if known else operation)


def _claims(entry: ActivityEntry, details: Mapping[str, object], tenant: str) -> dict[str, object]:
    claims: dict[str, object] = {
        "aud": "https://management.core.windows.net/", "iss": f"https://sts.windows.net/{tenant}/",
        _OID: entry.caller_id, "http://schemas.microsoft.com/identity/claims/tenantid": tenant, "ver": "1.0",
    }  # fmt: skip
    name = str(details.get("callerName") or "")
    return claims | ({"name": name, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": name}
                     if details.get("callerType") == "User" else {"appid": name})  # fmt: skip


def _timed(entry: ActivityEntry, name: str, title: str, earlier: int) -> Event:
    """Return an event's name, id and times; a begin lies a millisecond before its end."""
    moment = clock.from_text(entry.time) - timedelta(milliseconds=earlier)
    half = entry.digest[32 * earlier : 32 * earlier + 32]
    data_id = "-".join((half[:8], half[8:12], half[12:16], half[16:20], half[20:]))
    ticks = int((moment - datetime(1, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 10
    return {
        "eventDataId": data_id, "eventName": _word(name, title), "id": f"{entry.scope}/events/{data_id}/ticks/{ticks}",
        "eventTimestamp": clock.to_text(moment), "submissionTimestamp": entry.time,
    }  # fmt: skip


def _common(entry: ActivityEntry) -> dict[str, object]:
    return {"eventCategory": "Administrative", "entity": entry.scope, "message": entry.operation}


def _begin_properties(entry: ActivityEntry, details: Mapping[str, object]) -> dict[str, object]:
    after = details.get("after")
    if details.get("method") == "PUT" and isinstance(after, dict) and "/roleAssignments/" in entry.operation:
        asked = {name: after.get(name) for name in ("roleDefinitionId", "principalId", "principalType", "scope")}
        return {"requestbody": json.dumps({"properties": asked}), **_common(entry)}
    return _common(entry)


def _end_properties(entry: ActivityEntry, details: Mapping[str, object], title: str) -> dict[str, object]:
    found: dict[str, object] = {"statusCode": title, "serviceRequestId": None, **_common(entry)}
    if entry.outcome == "Denied":
        message = f"The client does not have authorization to perform action '{entry.operation}'."
        error = {"error": {"code": "AuthorizationFailed", "message": message}}
        return found | {"statusMessage": json.dumps(error)}
    held = details.get("before") if details.get("method") == "DELETE" else details.get("after")
    if isinstance(held, dict) and entry.operation.startswith("Microsoft.Authorization/"):
        kind = entry.operation.rpartition("/")[0]
        name = entry.scope.rpartition("/")[2]
        found["responseBody"] = json.dumps({"properties": held, "id": entry.scope, "type": kind, "name": name})
    return found
