"""A login server's own protocols: ACR's token service, its data API, OCI distribution (az-wire-contract.md section 7)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import requests

from azext_trust.cloud.connect import Connection
from azext_trust.cloud.errors import CloudError, HttpError

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The user name that goes with a token of the registry itself."""
AUDIENCE = "https://containerregistry.azure.net/.default"
PAGE = 100
MANIFESTS = ", ".join(
    ("*/*", "application/vnd.oci.artifact.manifest.v1+json", "application/vnd.oci.image.manifest.v1+json",
     "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
     "application/vnd.docker.distribution.manifest.list.v2+json")
)  # fmt: skip
_TEXTS = {
    401: "Authentication required.", 404: "The requested data does not exist.",
    405: "This operation is not supported.", 409: "Failed to request data due to a conflict.",
}  # fmt: skip


class RegistryError(HttpError):
    """The login server refused; the text is the one az prints."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.args = (message,)
        self.exit_code = 1


class NoToken(CloudError):
    """The token service gave no token.

    Args:
        message: the text az prints.
        status: the service's HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Credential:
    """What a login server is asked with.

    Attributes:
        username: a name, or empty for the account that is signed in.
        password: its password.
    """

    username: str = ""
    password: str = ""


class LoginServer:
    """A login server, asked as somebody.

    Args:
        connection: the cloud and account.
        host: the login server's name, with its port when that is not 443.
        credential: user name and password; the signed-in account unless given.
    """

    def __init__(self, connection: Connection, host: str, credential: Credential | None = None) -> None:
        self.connection = connection
        self.host = host
        self.credential = credential or Credential()
        self._tokens: dict[str, str] = {}
        self._refresh = ""
        connection.reach_login_server(host)

    def challenge(self) -> dict[str, str]:
        """Return what ``GET /v2/`` says about the token service: realm and service, empty where none is needed.

        Raises:
            CloudError: the server cannot be reached, or its firewall refuses.
        """
        answer = self.connection.send("GET", f"https://{self.host}/v2/")
        if answer.status_code == 403:
            raise CloudError(
                f"Looks like you don't have access to registry '{self.host}'. To see configured firewall rules, run 'az acr "
                f"show --query networkRuleSet --name {self.host.split('.')[0]}'. To see if public network access is enabled, "
                f"run 'az acr show --query publicNetworkAccess'.Please refer to "
                "https://aka.ms/acr/errors#connectivity_forbidden_error for more information."
            )
        return dict(re.findall(r'(\w+)="([^"]*)"', answer.headers.get("WWW-Authenticate", "")))

    def refresh_token(self) -> str:
        """Return a refresh token: the account's token exchanged for one of the registry (``/oauth2/exchange``).

        Raises:
            NoToken: the registry gives the account none.
        """
        if not self._refresh:
            token, _ = self.connection.token(AUDIENCE)
            form = {
                "grant_type": "access_token", "service": self.challenge().get("service", self.host),
                "tenant": str(self.connection.account["tenantId"]), "access_token": token,
            }  # fmt: skip
            self._refresh = str(self._asked("exchange", form, "REFRESH")["refresh_token"])
        return self._refresh

    def access_token(self, scope: str) -> str:
        """Return an access token for a scope: ``repository:NAME:pull,push``, ``registry:catalog:*``.

        Raises:
            NoToken: the registry gives none.
        """
        if scope not in self._tokens:
            form = {"service": self.host, "scope": scope}
            if self.credential.username:
                form |= {
                    "grant_type": "password", "username": self.credential.username,
                    "password": self.credential.password,
                }  # fmt: skip
            else:
                form |= {"grant_type": "refresh_token", "refresh_token": self.refresh_token()}
            self._tokens[scope] = str(self._asked("token", form, "ACCESS")["access_token"])
        return self._tokens[scope]

    def _asked(self, path: str, form: Mapping[str, str], kind: str) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.connection.send(
            "POST", f"https://{self.host}/oauth2/{path}", data=urlencode(form), headers=headers
        )
        if answer.status_code != 200:
            title = f"CONNECTIVITY_{kind}_TOKEN_ERROR"
            raise NoToken(
                f"{_stamp()} An error occurred: {title}\nAccess to registry '{self.host}' was denied. Response code: "
                f"{answer.status_code}. Please try running 'aztrust login' again to refresh permissions.",
                answer.status_code,
            )
        found: dict[str, Any] = answer.json()
        return found

    def request(self, method: str, path: str, scope: str, **more: Any) -> requests.Response:
        """Send a request with a token for a scope.

        Args:
            method: upper case.
            path: begins with a slash.
            scope: what the token is asked for.
            more: further arguments of ``requests``.

        Raises:
            RegistryError: the server refused.
            NoToken: there is no token.
        """
        headers = {"Authorization": f"Bearer {self.access_token(scope)}", **more.pop("headers", {})}
        answer = self.connection.send(method, f"https://{self.host}{path}", headers=headers, **more)
        if answer.status_code >= 400:
            raise refusal(method, answer)
        return answer

    def manifest(self, repository: str, reference: str) -> tuple[str, int]:
        """Return digest and size of a manifest, taken from its bytes: what the server says of them proves nothing.

        Args:
            repository: its name.
            reference: a tag or a digest.

        Raises:
            RegistryError: the server has none; or, asked for a digest, it answers with other bytes.
        """
        scope = f"repository:{repository}:pull"
        answer = self.request("GET", f"/v2/{repository}/manifests/{reference}", scope, headers={"Accept": MANIFESTS})
        digest = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        if reference.startswith("sha256:") and digest != reference:
            raise RegistryError(200, "DIGEST_INVALID", f"manifest verification failed for digest {reference}")
        return digest, len(answer.content)

    def call(self, method: str, path: str, scope: str, **more: Any) -> Any:
        """Send a request and return the JSON of the answer, None when it has none."""
        answer = self.request(method, path, scope, **more)
        return answer.json() if answer.content else None

    def listed(
        self, path: str, member: str, scope: str, *, top: int | None = None, order: str | None = None
    ) -> list[Any]:
        """Return the rows of a list, following its pages.

        Args:
            path: the list's path.
            member: the member of the answer that holds the rows.
            scope: what the token is asked for.
            top: at most so many rows; None for all.
            order: ``timeasc`` or ``timedesc``.
        """
        rows: list[Any] = []
        query: dict[str, str] = {"orderby": order} if order else {}
        while top is None or len(rows) < top:
            query["n"] = str(PAGE if top is None else min(PAGE, top - len(rows)))
            answer = self.request("GET", f"{path}?{urlencode(query)}", scope)
            rows += answer.json()[member] or []
            following = re.search(r'<[^?>]*\?([^>]*)>;\s*rel="?next', answer.headers.get("Link", ""))
            if not following:
                break
            # As az does: only the query of the link counts, the path stays.
            query = dict(parse_qsl(following[1]))
        return rows


def refusal(method: str, answer: requests.Response) -> RegistryError:
    """Return the error that an answer is, in az's words."""
    message = _TEXTS.get(answer.status_code, f"Could not {method.lower()} the requested data.")
    code = ""
    try:
        error = answer.json()["errors"][0]
        code, detail = str(error.get("code", "")), error.get("detail")
        if "message" in error:
            message = f"Error: {error['message']}" + (f" Detail: {detail}" if isinstance(detail, str) else "")
    except (ValueError, KeyError, IndexError, TypeError):
        pass
    message = message if message.endswith(".") else f"{message}."
    correlation = answer.headers.get("x-ms-correlation-request-id")
    full = f"{_stamp()} {message} Correlation ID: {correlation}." if correlation else message
    return RegistryError(answer.status_code, code, full)


def _stamp() -> str:
    return str(datetime.now())
