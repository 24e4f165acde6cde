"""Throttling and long-running operations: off by default, for pollers and retries to be rehearsed (M12)."""

from __future__ import annotations

import shutil
from pathlib import Path

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Settings
from tests.conftest import Client
from tests.desk import LAB, REGISTRY, SUB, Desk, set_options

NEW = REGISTRY.replace("myregistry", "laterregistry")
BODY = {"location": "westeurope", "sku": {"name": "Premium"}}


def move_clock(cloud: Client, seconds: float) -> None:
    """Let the cloud's clock jump."""
    from azext_trust.server.store import facts

    with cloud.app.store.write() as transaction:
        held = float(facts.get(transaction.session, facts.CLOCK_OFFSET, "0"))
        facts.put(transaction.session, facts.CLOCK_OFFSET, str(held + seconds))


def test_no_limit_by_default(owner: Desk) -> None:
    """M12: nobody is stopped unless the cloud is set so."""
    for _ in range(20):
        owner("GET", LAB)


def test_too_many_requests(owner: Desk, reader: Desk, cloud: Client) -> None:
    """M12: 429 with Retry-After; each caller and kind counts alone; waiting helps."""
    set_options(cloud, requestsPerMinute=3)
    for _ in range(3):
        owner("GET", LAB)
    refused = owner.reply("GET", LAB)
    assert isinstance(refused.body, dict)
    assert (refused.status, refused.body["error"]["code"]) == (429, "SubscriptionRequestsThrottled")
    seconds = int(refused.headers["retry-after"])
    assert 0 < seconds <= 20
    owner("PATCH", LAB, {"tags": {}})
    reader("GET", LAB)
    move_clock(cloud, seconds)
    owner("GET", LAB)


def test_clouds_count_apart(cloud: Client, founded: Path, tmp_path: Path) -> None:
    """M12: what is asked of one cloud does not count against another that the same process serves."""
    shutil.copytree(founded, tmp_path / "other")
    other = create_app(Settings(state=tmp_path / "other", quiet=True))
    for client in (cloud, Client(other)):
        set_options(client, requestsPerMinute=1)
        desk = Desk(client)
        desk("GET", LAB)
        assert desk.reply("GET", LAB).status == 429
    other.store.close()


def test_create_and_delete_are_polled(owner: Desk, cloud: Client) -> None:
    """M12: 201 with Azure-AsyncOperation until the time is up; deletion 202 with Location."""
    set_options(cloud, longRunningSeconds=30)
    made = owner.reply("PUT", NEW, BODY)
    assert isinstance(made.body, dict)
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
    poll = made.headers["azure-asyncoperation"].removeprefix("https://localhost")
    assert owner("GET", poll) == {"status": "Creating"}
    move_clock(cloud, 31)
    assert owner("GET", poll) == {"status": "Succeeded"}
    assert owner("GET", NEW)["properties"]["provisioningState"] == "Succeeded"
    gone = owner.reply("DELETE", NEW)
    assert gone.status == 202
    where = gone.headers["location"].removeprefix("https://localhost")
    owner("GET", where, status=202)
    move_clock(cloud, 31)
    owner("GET", where, status=200)


def test_immediate_by_default(owner: Desk) -> None:
    """M12: without the option nothing is polled."""
    made = owner.reply("PUT", NEW, BODY)
    assert made.status == 200
    assert "azure-asyncoperation" not in made.headers
    assert owner.reply("DELETE", NEW).status == 200
    assert owner.reply("DELETE", f"{SUB}/resourcegroups/lab").status == 200
