"""The activity log as Azure Monitor shows it (M25)."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Client
from tests.desk import LAB, REGISTRY, SUB, Desk, found
from tests.unit.server.arm.test_assignments import asked, at

VALUES = f"{SUB}/providers/microsoft.insights/eventtypes/management/values?$filter="
SINCE = "eventTimestamp ge 2020-01-01T00:00:00Z"


def events(desk: Desk, more: str = "") -> list[dict[str, object]]:
    """Return the events that a filter finds."""
    found_events: list[dict[str, object]] = desk("GET", f"{VALUES}{SINCE}{more}")["value"]
    return found_events


def test_an_operation_has_two_events(owner: Desk, cloud: Client) -> None:
    """M25: begin with what was asked, end with what came out; newest first; one operation id."""
    alain = found(cloud, "alain@contoso.com").id
    owner("PUT", at(REGISTRY), asked(alain))
    end, begin = events(owner, " and resourceProvider eq 'Microsoft.Authorization'")
    assert (end["eventName"], begin["eventName"]) == (
        {"value": "EndRequest", "localizedValue": "End request"},
        {"value": "BeginRequest", "localizedValue": "Begin request"},
    )
    assert end["subStatus"] == {"value": "Created", "localizedValue": "Created (HTTP Status Code: 201)"}
    assert (begin["status"], end["status"]) == (
        {"value": "Started", "localizedValue": "Started"}, {"value": "Succeeded", "localizedValue": "Succeeded"}
    )  # fmt: skip
    assert begin["operationId"] == end["operationId"] == end["correlationId"]
    assert end["operationName"] == {
        "value": "Microsoft.Authorization/roleAssignments/write", "localizedValue": "Create role assignment",
    }  # fmt: skip
    properties = begin["properties"]
    assert isinstance(properties, dict)
    assert json.loads(properties["requestbody"])["properties"]["principalId"] == alain
    assert (begin["caller"], begin["resourceGroupName"]) == ("owner@contoso.com", "lab")


def test_deletion_tells_what_went(owner: Desk, cloud: Client) -> None:
    """M25: the end event of a deletion has the assignment in its answer, as changelogs need it."""
    alain = found(cloud, "alain@contoso.com").id
    owner("PUT", at(REGISTRY), asked(alain))
    owner("DELETE", at(REGISTRY))
    end = events(owner)[0]
    properties = end["properties"]
    assert isinstance(properties, dict)
    assert json.loads(properties["responseBody"])["properties"]["principalId"] == alain


def test_refusals_are_there(owner: Desk, reader: Desk) -> None:
    """M25: a refused request is one failed event with its error."""
    reader.reply("DELETE", REGISTRY)
    (event,) = events(owner, " and status eq 'Failed'")
    assert event["level"] == "Error"
    assert event["subStatus"] == {"value": "Forbidden", "localizedValue": "Forbidden (HTTP Status Code: 403)"}
    assert event["caller"] == "reader@contoso.com"


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ("", 4), (" and resourceGroupName eq 'LAB'", 4), (" and resourceGroupName eq 'other'", 0),
        (f" and resourceUri eq '{REGISTRY}'", 2), (f" and resourceId eq '{LAB}'", 4), (" and caller eq 'nobody'", 0),
        (" and caller eq 'owner@contoso.com'", 4), (" and eventTimestamp le '2021-01-01T00:00:00.1234567Z'", 0),
        (" and resourceProvider eq Microsoft.ContainerRegistry", 2), (" and eventChannels eq 'Admin, Operation'", 4),
        (" and levels eq 'Error,Critical'", 0),
    ],
)  # fmt: skip
def test_filters(owner: Desk, more: str, count: int) -> None:
    """M25: every form of $filter."""
    owner("PATCH", LAB, {"tags": {"a": "b"}})
    owner("PATCH", REGISTRY, {"tags": {"a": "b"}})
    assert len(events(owner, more)) == count


@pytest.mark.parametrize("text", ["", "caller eq 'x'", "eventTimestamp ge yesterday", f"{SINCE} or caller eq 'x'"])
def test_bad_filters(owner: Desk, text: str) -> None:
    """M25: a filter needs a beginning, and nothing else is read into it."""
    assert owner.reply("GET", VALUES + text).status == 400


def test_pages_lose_nothing(owner: Desk, cloud: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """M25: next links walk through all events, each once."""
    from azext_trust.server.arm import activity

    monkeypatch.setattr(activity, "PAGE", 2)
    for number in range(5):
        owner("PATCH", LAB, {"tags": {"n": str(number)}})
    page = owner("GET", VALUES + SINCE)
    seen = [event["eventDataId"] for event in page["value"]]
    while "nextLink" in page:
        page = owner("GET", page["nextLink"].removeprefix("https://localhost"))
        seen += [event["eventDataId"] for event in page["value"]]
    assert len(seen) == len(set(seen)) == 10


def test_select_and_right(owner: Desk, nobody: Desk) -> None:
    """M25, M12: $select cuts members; reading takes its own action."""
    owner("PATCH", LAB, {"tags": {}})
    cut = owner("GET", f"{VALUES}{SINCE}&$select=caller,status")["value"][0]
    assert set(cut) == {"caller", "status"}
    assert nobody.code("GET", VALUES + SINCE) == (403, "AuthorizationFailed")
