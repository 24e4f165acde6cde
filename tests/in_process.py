"""A connection to a cloud in this process, as somebody: what the client half needs of `cloud.connect.Connection`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from azext_trust.cloud.connect import failure
from azext_trust.cloud.profile import Profile
from tests.conftest import Client

ORIGIN = "https://localhost"


@dataclass
class InProcess:
    """Somebody's connection.

    Attributes:
        client: the cloud.
        tokens: resource to access token; of any other resource the first one.
        account: as the account list has it.
        sent: method and address of each request.
        before: may answer instead of the cloud.
    """

    client: Client
    tokens: dict[str, str]
    account: dict[str, Any] = field(default_factory=dict)
    patience: int = 3
    sent: list[tuple[str, str]] = field(default_factory=list)
    before: Any = None
    profile: Profile = field(default_factory=lambda: Profile("Test", "served", ORIGIN, ORIGIN, ORIGIN))

    @property
    def subscription(self) -> str:
        """The subscription in use."""
        return str(self.account.get("id", ""))

    def request(self, method: str, url: str, scope: str, **more: Any) -> requests.Response:
        """Send a request with a token for its scope.

        Raises:
            HttpError: the service refused.
        """
        token = next((held for name, held in self.tokens.items() if scope.startswith(name)), "")
        answer = self.send(method, url, headers={"Authorization": f"Bearer {token}"}, **more)
        if answer.status_code >= 400:
            raise failure(answer)
        return answer

    def send(self, method: str, url: str, **more: Any) -> requests.Response:
        """Send a request as it is."""
        self.sent.append((method, url))
        if self.before is not None:
            answer: requests.Response | None = self.before(method, url)
            if answer is not None:
                return answer
        parts = urlsplit(url)
        token = more.get("headers", {}).get("Authorization", "").removeprefix("Bearer ")
        target = parts.path + (f"?{unquote(parts.query)}" if parts.query else "")
        reply = self.client.call(method, target, more.get("json"), token)
        made = requests.Response()
        made.status_code = reply.status
        body = reply.body
        made._content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        made.headers.update(reply.headers)
        return made

    def token(self, scope: str, **more: Any) -> tuple[str, int]:
        """Return a token for a scope."""
        return next((held for name, held in self.tokens.items() if scope.startswith(name)), ""), 0

    def reach_login_server(self, host: str) -> None:
        """There is none."""
