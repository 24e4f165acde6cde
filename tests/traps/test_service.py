"""The operator service's audit answers: as its description says, and nothing to who may not read it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import jsonschema
import pytest

from azext_trust.server.gate.call import Reply
from tests.conftest import Client
from tests.traps import world
from tests.traps.world import guid

CHANGES = [
    {
        "change": "add-assignment",
        "principalId": guid("pusher"),
        "role": "AcrImageSigner",
        "scope": world.registry("plain"),
    }
]
ABOUT = {"capability": "push", "registry": "plain"}
SOMEBODY = {"assignee": guid("less")}
QUESTIONS: dict[str, dict[str, Any]] = {
    "who-can": {**ABOUT, "indirect": True}, "can": {**ABOUT, **SOMEBODY}, "why": {**ABOUT, **SOMEBODY}, "what-can": SOMEBODY,
    "least": {}, "report": {"charts": True}, "explain": SOMEBODY, "what-if": {"changes": CHANGES},
    "replay": {"changes": CHANGES}, "assert": {"rules": {"max-signers": 1, "no-admin-account": True}},
}  # fmt: skip


def body_of(reply: Reply) -> Any:
    """Return what an answer holds, as a client reads it."""
    return json.loads(json.dumps(reply.body))


def ask(cloud: Client, token: str, question: str, words: dict[str, Any]) -> Reply:
    """Ask the service."""
    if {"changes", "rules"} & words.keys():
        return cloud.call("POST", f"/operator/audit/{question}", words, token)
    query = urlencode({name: str(value).lower() if value is True else value for name, value in words.items()})
    return cloud.call("GET", f"/operator/audit/{question}?{query}", token=token)


@pytest.fixture(scope="module")
def auditor(cloud: Client) -> str:
    """Give the token of somebody who may read everything."""
    return cloud.sign_in("auditor@contoso.com", "Auditor-pass-1")


@pytest.fixture(scope="module")
def outsider(cloud: Client) -> str:
    """Give the token of somebody without any role."""
    return cloud.sign_in("outsider@contoso.com", "Outside-pass-1")


@pytest.fixture(scope="module")
def description(cloud: Client) -> dict[str, Any]:
    """Give the service's description, which anybody may read."""
    reply = cloud.call("GET", "/operator/openapi.json")
    assert reply.status == 200
    found: dict[str, Any] = json.loads(json.dumps(reply.body))
    return found


def fits(description: dict[str, Any], question: str, reply: Reply) -> None:
    """Hold an answer against the description of its question and status."""
    [operation] = description["paths"][f"/operator/audit/{question}"].values()
    schema = operation["responses"][str(reply.status)]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": description["components"]}).validate(body_of(reply))


def test_described(description: dict[str, Any]) -> None:
    """M22: the description has every question, and its schemas are schemas."""
    assert set(description["paths"]) == {f"/operator/audit/{name}" for name in QUESTIONS}
    for schema in description["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers(cloud: Client, auditor: str, description: dict[str, Any], question: str) -> None:
    """M22: the answers and refusals of every question are as described; each row has all its members."""
    reply = ask(cloud, auditor, question, QUESTIONS[question])
    assert reply.status == (404 if question == "explain" else 200), reply.body
    fits(description, question, reply)
    wrong = ask(cloud, auditor, question, {**QUESTIONS[question], "nonsense": "x"})
    assert wrong.status == 400
    fits(description, question, wrong)
    refused = ask(cloud, "", question, QUESTIONS[question])
    assert refused.status == 401
    fits(description, question, refused)


@pytest.mark.parametrize("change", world.TRAPS, ids=lambda trap: f"{trap.number}")
def test_changes_are_described(description: dict[str, Any], change: world.Trap) -> None:
    """M23: the change file's form is in the description."""
    schema = {"$ref": "#/components/schemas/Change", "components": description["components"]}
    if change.change:
        jsonschema.Draft202012Validator(schema).validate(change.change)


@pytest.mark.parametrize("question", QUESTIONS)
def test_who_may_read_nothing_learns_nothing(cloud: Client, outsider: str, question: str) -> None:
    """M22, attack: no role, no answer: unknown where it is said to be unknown, and no name of anybody or anything."""
    reply = ask(cloud, outsider, question, QUESTIONS[question])
    told = json.dumps(reply.body)
    if reply.status == 200:
        assert body_of(reply)["complete"] is False
        assert [row for row in body_of(reply)["value"] if row.get("allowed") is not None] == []
        if question != "can":
            assert body_of(reply)["value"] == []
    else:
        assert reply.status in (400, 403, 404), told
    for secret in ("auditor@", "AcrPush", world.SUB_A, "neighbour", "boss"):
        assert secret not in told.replace(json.dumps(CHANGES), ""), (question, secret)


def test_existence_is_not_told(cloud: Client, outsider: str) -> None:
    """M22, attack: a registry that is there and one that is not look the same to who may read neither."""
    there, not_there = (
        ask(cloud, outsider, "who-can", {"capability": "sign", "registry": name}) for name in ("plain", "nowhere")
    )
    assert there.status == not_there.status
    assert json.dumps(there.body).replace("plain", "X") == json.dumps(not_there.body).replace("nowhere", "X")


def test_refusals_of_others(cloud: Client, auditor: str, outsider: str) -> None:
    """M22, attack: the refusal of somebody else is explained to who may read the log, not to others."""
    assert cloud.call("GET", world.registry("plain") + "?api-version=2025-04-01", token=outsider).status == 403
    own = body_of(ask(cloud, outsider, "explain", {}))["value"][0]
    assert own["missing"] == "Microsoft.ContainerRegistry/registries/read"
    number = own["correlationId"]
    assert ask(cloud, auditor, "explain", {"correlationId": number}).status == 200
    assert cloud.call("GET", "/subscriptions/x/resourceGroups/y?api-version=2025-04-01", token=auditor).status >= 400
    assert ask(cloud, outsider, "explain", {"assignee": guid("less")}).status == 404


def test_tokens_for_something_else(cloud: Client) -> None:
    """M22, attack: a token for Graph, a broken one and none at all are no way in."""
    graph = cloud.sign_in("auditor@contoso.com", "Auditor-pass-1", "https://graph.microsoft.com/.default")
    for token in (graph, graph[:-4] + "AAAA", "a.b.c", ""):
        assert ask(cloud, token, "who-can", {"capability": "sign"}).status == 401
