"""The content trust policy through its life and its retirement (M1 to M5, acr-content-trust-facts.md sections 1, 2)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_trust.server.app import create_app
from azext_trust.server.gate.call import Reply, Settings
from tests.adversary import trust_data
from tests.conftest import SUBSCRIPTION, Client
from tests.tokens import token_of

REGISTRY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab/providers/Microsoft.ContainerRegistry/registries/{{}}"
    "?api-version=2023-07-01"
)
RETIRED = "ContentTrustUnsupported"


class World:
    """A registry, and the hands on its policy and on the retirement switch."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.token = token_of(client)
        self.key = client.app.store.vault.operator_key()

    @property
    def state(self) -> Path:
        """The cloud directory."""
        return self.client.app.store.directory

    def send(self, body: object, name: str = "myregistry", method: str = "PATCH") -> Reply:
        """Send a body to a registry."""
        return self.client.call(method, REGISTRY.format(name), body, self.token)

    def turn(self, status: str, **more: object) -> str:
        """Ask for a status; return ``ok`` or the error's code."""
        trust = {"trustPolicy": {"type": "Notary", "status": status}}
        reply = self.send({"properties": {"policies": trust}, **more})
        return "ok" if reply.status == 200 else str(self.client.json(reply)["error"]["code"])

    def shown(self) -> str:
        """Return the status that the registry shows."""
        found = self.client.json(self.client.call("GET", REGISTRY.format("myregistry"), token=self.token))
        return str(found["properties"]["policies"]["trustPolicy"]["status"])

    def switch(self, position: str) -> str:
        """Move the retirement switch."""
        return str(self.client.call("PUT", "/operator/retirement", {"position": position}, self.key).status)

    def play(self, moves: str) -> str:
        """Play moves, ``enabled`` and ``disabled`` asked for, a position switched to; return the last answer."""
        answer = ""
        for move in moves.split():
            answer = self.turn(move) if move.endswith("abled") else self.switch(move)
        return answer


@pytest.fixture
def world(cloud: Client) -> World:
    """Give a cloud with a Premium registry without content trust."""
    return World(cloud)


@pytest.fixture
def trusted(founded: Path, tmp_path: Path) -> Iterator[World]:
    """Give a cloud whose registry has signed tags."""
    shutil.copytree(founded, tmp_path / "trusted")
    trust_data.fill(tmp_path / "trusted", {"myregistry": (3, 4)})
    app = create_app(Settings(state=tmp_path / "trusted", quiet=True))
    yield World(Client(app))
    app.store.close()


TRANSITIONS = [
    # off: the article. It can be turned on and off as often as one likes.
    ("enabled", "ok", "enabled"),
    ("enabled enabled", "ok", "enabled"),
    ("disabled", "ok", "disabled"),
    ("enabled disabled enabled", "ok", "enabled"),
    # 2026: refused where it never was on.
    ("2026 enabled", RETIRED, "disabled"),
    ("2026 disabled", "ok", "disabled"),
    # 2026: what is on stays on, an unchanged value is accepted, and there is no way back after disabling.
    ("enabled 2026", "200", "enabled"),
    ("enabled 2026 enabled", "ok", "enabled"),
    ("enabled 2026 disabled", "ok", "disabled"),
    ("enabled 2026 disabled enabled", RETIRED, "disabled"),
    # 2026: it was on at some time while the switch stood at off, and has not been disabled since it moved.
    ("enabled disabled 2026 enabled", "ok", "enabled"),
    ("enabled disabled 2026 enabled disabled enabled", RETIRED, "disabled"),
    # 2028: reads disabled and cannot be enabled; a repeated disabled is accepted.
    ("enabled 2028", "200", "disabled"),
    ("enabled 2028 enabled", RETIRED, "disabled"),
    ("enabled 2028 disabled", "ok", "disabled"),
    ("2028 enabled", RETIRED, "disabled"),
    # Moving the switch back.
    ("enabled 2028 off", "200", "enabled"),
    ("enabled 2028 disabled off", "200", "enabled"),
    ("enabled 2028 2026", "200", "enabled"),
    ("enabled 2026 disabled off enabled", "ok", "enabled"),
    ("enabled 2026 disabled off 2026 enabled", RETIRED, "disabled"),
    ("enabled 2026 disabled off enabled 2026 enabled", "ok", "enabled"),
]


@pytest.mark.parametrize(("moves", "answer", "shown"), TRANSITIONS)
def test_transitions(world: World, moves: str, answer: str, shown: str) -> None:
    """M5: each way through the switch's positions ends as the facts say."""
    assert (world.play(moves), world.shown()) == (answer, shown)


@pytest.mark.parametrize("position", ["2026", "2028"])
def test_a_new_registry_cannot_begin_with_it(world: World, position: str) -> None:
    """M5: creating with trust enabled is a change to enabled."""
    world.switch(position)
    body = {"location": "westeurope", "sku": {"name": "Premium"},
            "properties": {"policies": {"trustPolicy": {"type": "Notary", "status": "enabled"}}}}  # fmt: skip
    refused = world.send(body, "brandnew", "PUT")
    assert (refused.status, world.client.json(refused)["error"]["code"]) == (400, RETIRED)
    assert world.client.call("GET", REGISTRY.format("brandnew"), token=world.token).status == 404


@pytest.mark.parametrize("position", ["off", "2026", "2028"])
def test_moving_the_switch_deletes_nothing(trusted: World, position: str) -> None:
    """M5: trust data is kept, unseen or not, and comes back."""
    before = trust_data.counts(trusted.state, "myregistry")
    trusted.switch(position)
    trusted.turn("disabled") if position == "2028" else trusted.turn("enabled")
    trusted.switch("off")
    assert trust_data.counts(trusted.state, "myregistry") == before
    assert trusted.shown() == "enabled"


@pytest.mark.parametrize("position", ["off", "2026"])
def test_disabling_destroys_all(trusted: World, position: str) -> None:
    """M4: every version, the server's keys, the change feed; the log says how much; re-enabling starts empty."""
    trusted.switch(position)
    assert trusted.turn("disabled") == "ok"
    assert set(trust_data.counts(trusted.state, "myregistry").values()) == {0}
    assert trust_data.marks(trusted.state, "myregistry") == {}
    trusted.switch("off")
    assert trusted.play("enabled") == "ok"
    assert trust_data.counts(trusted.state, "myregistry")["trust_metadata"] == 0


def test_a_patch_of_another_policy_leaves_the_trust_data(trusted: World) -> None:
    """M5: az re-sends every policy; an unchanged enabled is no change, also when trust is being retired."""
    trusted.switch("2026")
    policies = {"retentionPolicy": {"days": 30, "status": "enabled"},
                "trustPolicy": {"type": "Notary", "status": "enabled"}}  # fmt: skip
    assert trusted.send({"properties": {"policies": policies}}).status == 200
    assert trust_data.counts(trusted.state, "myregistry")["trust_tag"] == 12


@pytest.mark.parametrize("policy", [{}, {"type": "Notary"}, {"status": None}, None])
def test_a_body_without_a_status_changes_nothing(trusted: World, policy: object) -> None:
    """M2: only a status changes the policy."""
    assert trusted.send({"properties": {"policies": {"trustPolicy": policy}}}).status == 200
    assert (trusted.shown(), trust_data.counts(trusted.state, "myregistry")["trust_tag"]) == ("enabled", 12)


@pytest.mark.parametrize(
    "policy",
    [{"status": "off"}, {"status": True}, {"type": "Notation", "status": "disabled"}, {"status": ["disabled"]}],
)
def test_a_wrong_value_is_refused_and_destroys_nothing(trusted: World, policy: object) -> None:
    """M4: nothing is lost by a slip."""
    assert trusted.send({"properties": {"policies": {"trustPolicy": policy}}}).status == 400
    assert trust_data.counts(trusted.state, "myregistry")["trust_tag"] == 12


def test_trust_needs_premium(world: World) -> None:
    """M1: on another SKU enabling is refused and changes nothing; disabled is accepted."""
    refused = world.send({"properties": {"policies": {"trustPolicy": {"status": "enabled"}}}}, "basicregistry")
    assert world.client.json(refused)["error"]["message"] == "The SKU Basic is not supported."
    assert (
        world.send({"properties": {"policies": {"trustPolicy": {"status": "disabled"}}}}, "basicregistry").status == 200
    )


@pytest.mark.parametrize("position", ["off", "2026"])
def test_leaving_premium_would_lose_it(trusted: World, position: str) -> None:
    """M1: refused while trust is on, with what would be lost and what to do first; nothing is changed."""
    trusted.switch(position)
    error = trusted.client.json(trusted.send({"sku": {"name": "Standard"}}))["error"]
    assert error["code"] == "SkuNotSupported"
    assert "3 repositories with 12 signed tags" in error["message"]
    assert "content-trust update --registry myregistry --status disabled" in error["message"]
    assert trust_data.counts(trusted.state, "myregistry")["trust_tag"] == 12


def test_disabling_and_leaving_premium_at_once(trusted: World) -> None:
    """M1: one PATCH may do both."""
    assert trusted.turn("disabled", sku={"name": "Basic"}) == "ok"
    assert set(trust_data.counts(trusted.state, "myregistry").values()) == {0}


def test_leaving_premium_when_trust_is_gone_keeps_what_is_unseen(trusted: World) -> None:
    """M5: in 2028 nothing hinders a downgrade; the data comes back with the switch and the SKU, not before."""
    trusted.switch("2028")
    assert trusted.send({"sku": {"name": "Standard"}}).status == 200
    trusted.switch("off")
    assert trusted.shown() == "disabled"
    assert trusted.send({"sku": {"name": "Premium"}}).status == 200
    assert (trusted.shown(), trust_data.counts(trusted.state, "myregistry")["trust_tag"]) == ("enabled", 12)


def test_the_log_keeps_the_policy_s_change(trusted: World) -> None:
    """M4: who disabled it, and how much was lost; nothing of it."""
    trusted.turn("disabled")
    log = trusted.client.json(trusted.client.call("GET", "/operator/log?last=1", token=trusted.key))["value"][0]
    assert log["details"]["callerName"] == "owner@contoso.com"
    assert log["details"]["erased"] == {"repositories": 3, "signedTags": 12}
    assert (log["details"]["before"]["contentTrust"], log["details"]["after"]["contentTrust"]) == (
        "enabled",
        "disabled",
    )
