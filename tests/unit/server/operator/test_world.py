"""Clock, retirement switch, log and dump over the operator service."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Client
from tests.tokens import token_of


class Operator:
    """Calls the operator service with the operator key."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.key = client.app.store.vault.operator_key()

    def get(self, path: str) -> dict[str, Any]:
        """Return an answer."""
        return self.client.json(self.client.call("GET", f"/operator/{path}", token=self.key))

    def put(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        """Return the status and the answer."""
        reply = self.client.call("PUT", f"/operator/{path}", body, self.key)
        return reply.status, self.client.json(reply)


@pytest.fixture
def operator(cloud: Client) -> Operator:
    """Give the operator of a cloud."""
    return Operator(cloud)


@pytest.mark.parametrize("time", ["2028-03-31T00:00:00Z", "2028-03-31", "2028-03-31T02:00:00+02:00"])
def test_the_clock_stands_still(operator: Operator, time: str) -> None:
    """Set to a moment, it stays there."""
    status, answer = operator.put("clock", {"frozenAt": time})
    assert (status, answer["now"], answer["frozenAt"]) == (200, *["2028-03-31T00:00:00.0000000Z"] * 2)
    assert operator.get("clock") == answer


def test_a_clock_that_stands_can_be_advanced(operator: Operator) -> None:
    """Step by step, and back."""
    operator.put("clock", {"frozenAt": "2028-03-31"})
    operator.put("clock", {"advanceSeconds": 60})
    assert operator.put("clock", {"advanceSeconds": -30})[1]["now"] == "2028-03-31T00:00:30.0000000Z"


def test_a_clock_that_runs_can_be_advanced(operator: Operator) -> None:
    """Offsets add up."""
    operator.put("clock", {"offsetSeconds": 100})
    assert operator.put("clock", {"advanceSeconds": 50})[1]["offsetSeconds"] == 150
    reset = operator.put("clock", {"offsetSeconds": 0, "frozenAt": None})[1]
    assert (reset["offsetSeconds"], reset["frozenAt"]) == (0, None)


@pytest.mark.parametrize(
    "body",
    [
        {"frozenAt": "soon"}, {"frozenAt": ""}, {"offsetSeconds": "NaN"}, {"offsetSeconds": "Infinity"},
        {"offsetSeconds": 1e300}, {"offsetSeconds": 3e11}, {"offsetSeconds": -3e9}, {"offsetSeconds": True},
        {"frozenAt": "9999-12-31"}, {"advanceSeconds": None}, {"speed": 2}, {},
    ],
)  # fmt: skip
def test_a_wrong_time_is_refused_and_changes_nothing(operator: Operator, body: object) -> None:
    """The clock still answers afterwards."""
    before = operator.get("status")["revision"]
    status, answer = operator.put("clock", body)
    assert (status, answer["error"]["code"]) == (400, "InvalidParameter")
    assert operator.get("status")["revision"] == before


def test_everything_shows_the_cloud_s_time(operator: Operator) -> None:
    """One clock: the log, an error's timestamp, a token's time."""
    operator.put("clock", {"frozenAt": "2028-03-31"})
    refused = operator.client.token_request(grant_type="password", username="nobody@contoso.com", password="x")
    assert operator.client.json(refused)["timestamp"] == "2028-03-31 00:00:00Z"
    assert operator.get("log?last=1")["value"][0]["time"] == "2028-03-31T00:00:00.0000000Z"
    graph = operator.client.call("GET", "/v1.0/me")
    assert operator.client.json(graph)["error"]["innerError"]["date"] == "2028-03-31T00:00:00"


@pytest.mark.parametrize("position", ["2026", "2028", "off"])
def test_the_retirement_switch(operator: Operator, position: str) -> None:
    """M5: moved, shown, recorded with before and after."""
    assert operator.put("retirement", {"position": position}) == (200, {"position": position})
    assert operator.get("retirement") == {"position": position}
    details = operator.get("log?last=1")["value"][0]["details"]
    assert (details["before"], details["after"]) == ("off", position)


@pytest.mark.parametrize("position", ["", "2027", None, 2026.5, ["off"]])
def test_the_retirement_switch_has_three_positions(operator: Operator, position: object) -> None:
    """M5: another one is refused."""
    assert operator.put("retirement", {"position": position})[0] == 400
    assert operator.get("retirement") == {"position": "off"}


@pytest.mark.parametrize("path", ["clock", "retirement"])
def test_the_operator_key_is_needed(cloud: Client, path: str) -> None:
    """M12: what changes the world takes the operator key; a token of the owner is not enough."""
    token = token_of(cloud)
    assert cloud.call("PUT", f"/operator/{path}", {"position": "2028", "frozenAt": "2028-01-01"}, token).status == 401
    assert cloud.call("PUT", f"/operator/{path}", {}).status == 401


@pytest.mark.parametrize("path", ["log", "log/verify", "dump"])
def test_reading_everything_needs_the_operator_key(cloud: Client, path: str) -> None:
    """M12: the log and the dump show what no single role may read."""
    token = token_of(cloud)
    assert cloud.call("GET", f"/operator/{path}", token=token).status == 401


def test_the_log_is_read_in_pages(operator: Operator) -> None:
    """M25: after a number, so many; or the newest so many."""
    for position in ("2026", "2028", "off"):
        operator.put("retirement", {"position": position})
    pages = [operator.get(f"log?after={after}&limit=2")["value"] for after in (0, 2, 4)]
    assert [[row["sequence"] for row in page] for page in pages] == [[1, 2], [3, 4], []]
    assert [row["sequence"] for row in operator.get("log?last=3")["value"]] == [2, 3, 4]


@pytest.mark.parametrize("query", ["after=x", "limit=-1", "last=1e3", "after=99999999999999999999", "last="])
def test_numbers_that_are_none_are_refused(operator: Operator, query: str) -> None:
    """With the name of the one that is wrong."""
    error = operator.get(f"log?{query}")["error"]
    assert (error["code"], error["target"]) == ("InvalidParameter", query.partition("=")[0])


def test_a_head_can_be_noted_and_checked(operator: Operator) -> None:
    """M25: the head of now is part of the log later on; another is not, and what is none is refused."""
    head = operator.get("log/verify")["head"]
    operator.put("retirement", {"position": "2026"})
    assert operator.get(f"log/verify?head={head.upper()}")["valid"]
    assert not operator.get(f"log/verify?head={'0' * 63}1")["valid"]
    assert operator.get("log/verify?head=mine")["error"]["target"] == "head"


def test_an_entry_that_was_tampered_with_is_still_listed(operator: Operator) -> None:
    """M25: whoever looks into a broken log sees it."""
    with operator.client.app.store.write() as transaction:
        transaction.session.connection().exec_driver_sql("UPDATE activity SET details = 'nonsense'")
    assert operator.get("log")["value"][0]["details"] == {"unreadable": "nonsense"}


def test_the_dump_is_stable(operator: Operator) -> None:
    """M25: twice the same, in the same order, whatever the order of ids."""
    with operator.client.app.store.write() as transaction:
        for number in (3, 1, 2):
            transaction.session.connection().exec_driver_sql(
                "INSERT INTO directory_object (id, kind, display_name, display_key, enabled, classic_administrator, "
                f"created, properties) VALUES ('{number}', 'Group', 'same', 'same', 1, 0, '', '{{}}')"
            )
            transaction.session.connection().exec_driver_sql(
                f"INSERT INTO membership SELECT '{number}', id FROM directory_object WHERE upn_key IS NOT NULL "
                f"LIMIT {4 - number}"
            )
    dump = operator.get("dump")
    same = [group["members"] for group in dump["groups"] if group["name"] == "same"]
    assert same == sorted(same, key=json.dumps)
    assert dump == operator.get("dump")
