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

    def audit(self, question: str, words: dict[str, Any], *, keyed: bool = False) -> dict[str, Any]:
        """Return the answer to an audit's question: ``complete``, ``unknown``, ``value``.

        Args:
            question: ``who-can``, ``what-if`` ...
            words: its words, as the service's description names them; changes and rules go in a body.
            keyed: ask with the operator key of a cloud directory instead of as the signed-in account.

        Raises:
            HttpError: the service refused.
        """
        posts = "changes" in words or "rules" in words
        query = "" if posts else "?" + urlencode({name: _text(value) for name, value in words.items()})
        path, body = f"audit/{question}{query}", words if posts else None
        if keyed:
            found: dict[str, Any] = self.call("POST" if posts else "GET", path, body)
            return found
        profile = self.connection.profile
        more = {"json": body} if posts else {}
        answer = self.connection.request(
            "POST" if posts else "GET", f"{profile.arm}/operator/{path}", f"{profile.audience}/.default", **more
        )
        found = answer.json()
        return found

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


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
