"""The operator service: what a local cloud has and Azure lacks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from azext_trust.cloud.connect import Connection, failure


class Operator:
    """The operator service of a connection.

    Args:
        connection: the cloud; for what takes the operator key, an embedded one.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def close(self) -> None:
        """Give back the connection."""
        self.connection.close()

    def call(self, method: str, path: str, body: object = None, *, text: str | None = None, **query: str) -> Any:
        """Send a request with the operator key and return the JSON of the answer.

        Raises:
            HttpError: the service refused.
        """
        key = self.connection.operator_key()
        url = f"{self.connection.profile.arm}/operator/{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {key}"}
        if text is not None:
            answer = self.connection.send(method, url, headers=headers, data=text.encode())
        else:
            answer = self.connection.send(method, url, headers=headers, json=body)
        if answer.status_code >= 400:
            raise failure(answer)
        return answer.json()

    def status(self) -> dict[str, Any]:
        """Return what the service tells any signed-in caller: retirement position, tenant, clock."""
        return self._signed("status")

    def loss(self, registry_id: str) -> dict[str, Any]:
        """Return how many repositories and signed tags disabling content trust would destroy."""
        return self._signed(f"loss?registry={quote(registry_id)}")

    def _signed(self, path: str) -> dict[str, Any]:
        profile = self.connection.profile
        url = f"{profile.arm}/operator/{path}"
        found: dict[str, Any] = self.connection.request("GET", url, f"{profile.audience}/.default").json()
        return found
