"""Somebody at a desk: calls Resource Manager or Graph in process, with a token that took no password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azext_trust.server.gate import minting
from azext_trust.server.gate.call import Reply
from azext_trust.server.store import activity, options, principals
from tests.conftest import SUBSCRIPTION, Client

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
ARM, GRAPH = "https://management.core.windows.net/", "https://graph.microsoft.com/"
SUB = f"/subscriptions/{SUBSCRIPTION}"
LAB = f"{SUB}/resourceGroups/lab"
REGISTRY = f"{LAB}/providers/Microsoft.ContainerRegistry/registries/myregistry"
VERSIONS = {
    "microsoft.containerregistry": "2026-09-01-preview", "microsoft.authorization": "2022-04-01",
    "microsoft.management": "2021-04-01", "microsoft.managedidentity": "2024-11-30", "microsoft.insights": "2015-04-01",
}  # fmt: skip


def found(client: Client, name: str) -> principals.DirectoryObject:
    """Return a user, group or service principal of a cloud by name."""
    with client.app.store.read() as transaction:
        session = transaction.session
        row = (
            principals.user_by_upn(session, name)
            or principals.service_principal_by_name(session, name)
            or principals.find_by_display_name(session, principals.SERVICE_PRINCIPAL, name)
            or principals.group_by_name(session, name)
            or principals.by_id(session, name)
        )
    assert row is not None, name
    return row


@dataclass
class Desk:
    """A caller.

    Attributes:
        client: the cloud.
        name: user name, appId, display name or object id of who calls.
        audience: the resource its tokens are for.
    """

    client: Client
    name: str = "owner@contoso.com"
    audience: str = ARM

    def token(self) -> str:
        """Return an access token."""
        app = self.client.app
        with app.store.read() as transaction:
            row = found(self.client, self.name)
            return minting.access_token(transaction, app.settings, row, AZURE_CLI, self.audience)

    def __call__(self, method: str, target: str, body: object = None, status: int | None = None, **headers: str) -> Any:
        """Send a request, check its status, and return the JSON of the answer."""
        reply = self.reply(method, target, body, **headers)
        wanted = (status,) if status else (200, 201, 202, 204)
        assert reply.status in wanted, (reply.status, reply.body)
        return reply.body

    def reply(self, method: str, target: str, body: object = None, **headers: str) -> Reply:
        """Send a request; an ARM one gets the api-version that az sends, unless it names one."""
        return self.client.call(method, self._target(target), body, self.token(), **headers)

    def _target(self, target: str) -> str:
        if self.audience == GRAPH:
            return target if target.startswith("/v1.0") else f"/v1.0{target}"
        if "api-version=" in target:
            return target
        lower = target.lower()
        at = lower.rfind("/providers/")
        version = VERSIONS.get(lower[at + 11 :].split("/")[0].split("?")[0], "2024-11-01")
        return f"{target}{'&' if '?' in target else '?'}api-version={version}"

    def code(self, method: str, target: str, body: object = None) -> tuple[int, str]:
        """Send a request that is refused, and return status and error code."""
        reply = self.reply(method, target, body)
        assert isinstance(reply.body, dict), reply
        return reply.status, reply.body["error"]["code"]


def set_options(client: Client, **given: object) -> None:
    """Change the options of a cloud, by wire name."""
    with client.app.store.write() as transaction:
        session = transaction.session
        options.put(session, options.changed(options.get(session), given))


def log(client: Client) -> list[activity.ActivityEntry]:
    """Return the activity log of a cloud."""
    with client.app.store.read() as transaction:
        return list(activity.entries(transaction.session))
