"""The tenant of traps as a cloud in this process, and its auditor."""

from __future__ import annotations

from tests.conftest import Client
from tests.in_process import ORIGIN, InProcess
from tests.traps import sources, world
from tests.traps.world import guid


def fill(client: Client, key: str) -> None:
    """Bring the world into a cloud."""
    run = client.json(client.call("POST", "/operator/observe/begin", {"source": "traps"}, key))["run"]
    for kind, rows in sources.pages():
        page = {"run": run, "step": f"all {kind}", "kind": kind, "rows": rows, "next": "", "done": True}
        reply = client.call("POST", "/operator/observe/page", page, key)
        assert reply.status == 200, reply.body
    other = {"id": guid("auditor"), "scope": f"/subscriptions/{world.SUB_B}", "principalType": "User",
             "roleId": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "principalId": me(client)}  # fmt: skip
    page = {"run": run, "step": "own assignment", "kind": "assignment", "rows": [other], "next": "", "done": True}
    assert client.call("POST", "/operator/observe/page", page, key).status == 200
    assert client.call("POST", "/operator/observe/finish", {"run": run}, key).status == 200


def me(client: Client) -> str:
    """Return the auditor's object id."""
    import jwt

    token = client.sign_in("auditor@contoso.com", "Auditor-pass-1")
    return str(jwt.decode(token, options={"verify_signature": False})["oid"])


def connection(client: Client) -> InProcess:
    """Return the auditor's connection."""
    scopes = {"https://management.core.windows.net": "", ORIGIN: f"{ORIGIN}/.default"}
    tokens = {name: client.sign_in("auditor@contoso.com", "Auditor-pass-1", scope) for name, scope in scopes.items()}
    return InProcess(
        client,
        tokens,
        {"id": world.SUB_A, "name": "A", "tenantId": world.TENANT, "user": {"name": "auditor@contoso.com"}},
    )


class Silent:
    """Watches a twin and says nothing."""

    def set(self, done: float, title: str | None = None) -> None:
        """Take how far it is."""
