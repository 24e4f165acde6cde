"""Every trap of docs/audit-traps.md, from all four sources: the right answer to who-can, why and what-if."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from azext_trust.audit import exported, source
from azext_trust.audit.live import Loader
from azext_trust.audit.twin import Twin
from azext_trust.clients.operator import Operator
from azext_trust.cloud.connect import Connection, local
from tests.conftest import Client
from tests.traps import sources, world
from tests.traps.served import Silent, connection
from tests.traps.world import TRAPS, Trap, guid

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", params=["operator", "live", "files", "twin"])
def ask(request: pytest.FixtureRequest, cloud: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Give a way to ask, once for each source."""
    if request.param != "twin":
        yield _asking(request.param, cloud, tmp_path_factory)
        return
    folder = str(tmp_path_factory.mktemp("twins") / "twin")
    Twin(cast(Connection, connection(cloud)), folder, Silent(), images=False).pull()
    operator = Operator(local(folder))
    yield lambda question, **words: operator.audit(question, words, keyed=True)
    operator.close()


def _asking(kind: str, cloud: Client, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    if kind == "operator":
        token = cloud.sign_in("auditor@contoso.com", "Auditor-pass-1")
        return lambda question, **words: _operator(cloud, token, question, words)
    if kind == "live":
        tenant = Loader(cast(Connection, connection(cloud))).load()
    else:
        tenant = exported.load(sources.export(tmp_path_factory.mktemp("export") / "files"))
    return lambda question, **words: source.evaluated(question, words, tenant)


def _operator(cloud: Client, token: str, question: str, words: dict[str, Any]) -> dict[str, Any]:
    from urllib.parse import urlencode

    if "changes" in words:
        reply = cloud.call("POST", f"/operator/audit/{question}", words, token)
    else:
        query = urlencode(
            {name: str(value).lower() if isinstance(value, bool) else value for name, value in words.items()}
        )
        reply = cloud.call("GET", f"/operator/audit/{question}?{query}", token=token)
    assert reply.status == 200, reply.body
    return cast(dict[str, Any], json.loads(json.dumps(reply.body)))


def about(trap: Trap) -> dict[str, Any]:
    """Return the words of a question about a trap."""
    return {"capability": trap.word, "registry": trap.at} | ({"repository": trap.repository} if trap.repository else {})


EACH = pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: f"{trap.number}-{trap.who}")


@EACH
def test_who_can(ask: Ask, trap: Trap) -> None:
    """M22: listed or not, by the right way, under a condition or not, by a way round or not."""
    answer = ask("who-can", **about(trap), indirect=True)
    assert answer["complete"], answer["unknown"]
    rows = [row for row in answer["value"] if row["principalId"] == guid(trap.who)]
    assert [row["indirect"] for row in rows] == ([False] if trap.allowed else [True] if trap.indirect else [])
    if trap.allowed:
        assert rows[0]["via"] == trap.via
        assert rows[0]["depends"] == trap.depends


@EACH
def test_can(ask: Ask, trap: Trap) -> None:
    """M22: the verdict about this one agrees."""
    [row] = ask("can", **about(trap), assignee=guid(trap.who))["value"]
    assert row["allowed"] is trap.allowed


@EACH
def test_why(ask: Ask, trap: Trap) -> None:
    """M22: each path is named, and what took a right away."""
    rows = ask("why", **about(trap), assignee=guid(trap.who))["value"]
    for effect, word in trap.effects:
        told = [json.dumps(row) for row in rows if row["effect"] == effect]
        assert any(word in text for text in told), (effect, word, rows)
    assert all(
        row["assignmentId"] for row in rows if row["effect"] == "grants" and row["via"] != "classic administrator"
    )


@EACH
def test_what_if(ask: Ask, trap: Trap) -> None:
    """M23: the change that turns it round is seen to do so, and to do nothing to the facts."""
    if not trap.change:
        assert not trap.allowed
        return
    answer = ask("what-if", changes=[trap.change], registry=trap.at, capability=trap.word)
    changed = {row["principalId"]: row["change"] for row in answer["value"]}
    assert changed.get(guid(trap.who)) == ("loses" if trap.allowed else "gains"), answer["value"]
    [row] = ask("can", **about(trap), assignee=guid(trap.who))["value"]
    assert row["allowed"] is trap.allowed


def test_sources_agree(cloud: Client, tmp_path: Path) -> None:
    """M22, M26: one evaluator, three sources: every answer about every registry is the same."""
    token = cloud.sign_in("auditor@contoso.com", "Auditor-pass-1")
    live = Loader(cast(Connection, connection(cloud))).load()
    files = exported.load(sources.export(tmp_path / "files"))
    for word in ("sign", "push", "pull", "delete", "manage-policy", "grant"):
        words = {"capability": word, "indirect": True}
        told = [
            {(row["registry"], row["principalId"], row["indirect"], row["role"], row["scope"], row["via"], row["depends"])
             for row in answer["value"] if row["principalName"] != "auditor@contoso.com"}
            for answer in (_operator(cloud, token, "who-can", words), source.evaluated("who-can", words, live),
                           source.evaluated("who-can", words, files))
        ]  # fmt: skip
        assert told[0] == told[1] == told[2]


def test_kinds_of_principals(ask: Ask) -> None:
    """M9, M22: admin account and anonymous pull are told as what they are, and never sign."""
    kinds = {row["principalType"] for row in ask("who-can", capability="pull", registry="doors")["value"]}
    assert {"AdminAccount", "Anonymous"} <= kinds
    kinds = {
        row["principalType"] for row in ask("who-can", capability="sign", registry="doors", indirect=True)["value"]
    }
    assert kinds <= {"User", "ServicePrincipal"}


def test_deleted_principals_are_not_listed(ask: Ask) -> None:
    """M22: assignments of somebody who is gone give nothing, to nobody of the same name either."""
    answer = ask("who-can", capability="push", registry="plain")
    ids = {row["principalId"] for row in answer["value"]}
    assert guid("again") not in ids
    assert guid(world.DELETED) not in ids


def digest(state: Path) -> dict[str, str]:
    """Return the hash of every file of a cloud directory; what only coordinates readers is none of its facts."""
    return {
        str(path.relative_to(state)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(state.rglob("*")) if path.is_file() and path.suffix not in (".db-shm", ".lock")
    }  # fmt: skip


def test_nothing_is_written(cloud: Client) -> None:
    """M23: the store's hash is the same before and after what-if and replay, whatever they think of."""
    token = cloud.sign_in("auditor@contoso.com", "Auditor-pass-1")
    _operator(cloud, token, "who-can", {"capability": "sign"})
    state = cloud.app.store.directory
    before = digest(state)
    assert "state.db" in before
    for trap in TRAPS:
        if trap.change:
            _operator(cloud, token, "what-if", {"changes": [trap.change]})
            _operator(cloud, token, "replay", {"changes": [trap.change]})
    assert digest(state) == before


@EACH
def test_documented(trap: Trap) -> None:
    """M22: the page of traps tells of each, with the answer that is tested."""
    page = Path(__file__).parents[2].joinpath("docs", "audit-traps.md").read_text(encoding="utf-8")
    [line] = [line for line in page.splitlines() if line.startswith(f"| {trap.number} |")]
    number, who, question, answer, *_ = [cell.strip() for cell in line.strip("|").split("|")]
    assert (number, who, answer.split(",")[0]) == (str(trap.number), trap.who, "yes" if trap.allowed else "no")
    assert question.startswith(f"{trap.word}, {trap.at}")
