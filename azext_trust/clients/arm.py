"""Azure Resource Manager, as az speaks to it (az-wire-contract.md sections 3 to 5)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import requests

from azext_trust.cloud.connect import Connection
from azext_trust.cloud.errors import CloudError, HttpError

VERSIONS = {
    "subscriptions": "2022-12-01", "resources": "2024-11-01", "registries": "2026-09-01-preview",
    "roleAssignments": "2022-04-01", "roleDefinitions": "2022-05-01-preview",
    "denyAssignments": "2024-07-01-preview", "permissions": "2022-05-01-preview", "activity": "2015-04-01",
    "locks": "2020-05-01", "entities": "2020-05-01", "classicAdministrators": "2015-07-01",
}  # fmt: skip
REGISTRY = "Microsoft.ContainerRegistry/registries"


class Arm:
    """Resource Manager of a connection.

    Args:
        connection: the cloud and account.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def call(self, method: str, path: str, kind: str, body: object = None, **query: str) -> Any:
        """Send a request and return the JSON of the answer, None when it has none.

        Args:
            method: upper case.
            path: begins with a slash; names in it that a user typed have gone through `segment`.
            kind: a key of `VERSIONS`.
            body: sent as JSON unless None.
            query: further parameters; ``_`` at the front stands for ``$``.

        Raises:
            HttpError: the service refused.
        """
        answer = self._request(method, self._url(path, kind, query), body)
        return answer.json() if answer.content else None

    def _url(self, path: str, kind: str, query: dict[str, str]) -> str:
        asked = {"api-version": VERSIONS[kind], **{_dollar(k): v for k, v in query.items()}}
        text = "&".join(f"{quote(k, safe='$')}={quote(v)}" for k, v in asked.items())
        return f"{self.connection.profile.arm}{quote(path, safe='/%')}?{text}"

    def _request(self, method: str, url: str, body: object = None) -> requests.Response:
        more = {} if body is None else {"json": body}
        return self.connection.request(method, url, f"{self.connection.profile.audience}/.default", **more)

    def finish(self, method: str, path: str, kind: str, body: object = None, **query: str) -> Any:
        """Send a request and wait until the operation it began has ended; return what the resource then is.

        A long-running operation is polled as az does (Azure-Asynchronous-Operations REST reference): its status where
        the answer names one, else its Location while that answers 202.

        Raises:
            HttpError: the service refused, or the operation failed.
        """
        url = self._url(path, kind, query)
        answer = self._request(method, url, body)
        status, place = answer.headers.get("Azure-AsyncOperation"), answer.headers.get("Location")
        if answer.status_code in (201, 202) and status:
            last = self._wait(status, answer)
            # What was made or changed is read again; an action's result stands where Location points.
            again = url if method in ("PUT", "PATCH") else place if method == "POST" else None
            answer = self._request("GET", again) if again else last
        while answer.status_code == 202 and place:
            _pause(answer)
            answer = self._request("GET", place)
        return answer.json() if answer.content else None

    def _wait(self, status: str, answer: requests.Response) -> requests.Response:
        found: dict[str, Any] = {}
        while found.get("status") not in ("Succeeded", "Failed", "Canceled"):
            _pause(answer)
            answer = self._request("GET", status)
            found = answer.json()
        if found["status"] != "Succeeded":
            error = found.get("error") or {}
            raise HttpError(answer.status_code, str(error.get("code", found["status"])), str(error.get("message", "")))
        return answer

    def listed(self, path: str, kind: str, **query: str) -> list[dict[str, Any]]:
        """Return all rows of a list, following its pages."""
        return [row for page in self.pages(path, kind, **query) for row in page]

    def pages(self, path: str, kind: str, **query: str) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of a list page by page."""
        for rows, _ in self.linked_pages(self._url(path, kind, query)):
            yield rows

    def linked_pages(self, url: str, method: str = "GET") -> Iterator[tuple[list[dict[str, Any]], str]]:
        """Yield the rows of a list page by page, each with the address of the next page, empty at the end."""
        while url:
            found = self._request(method, url).json()
            url = str(found.get("nextLink") or found.get("@odata.nextLink") or "")
            yield list(found["value"]), url

    def address(self, path: str, kind: str, **query: str) -> str:
        """Return the address at which a list begins."""
        return self._url(path, kind, query)

    @property
    def root(self) -> str:
        """The path of the subscription in use."""
        return f"/subscriptions/{self.connection.subscription}"

    def find_registry(self, name: str, group: str | None) -> str:
        """Return the resource id of a registry: built from its group, else found in the resource list.

        Raises:
            CloudError: the list does not show it: there is none, or the caller may not read it.
        """
        if group:
            return f"{self.root}/resourceGroups/{segment(group)}/providers/{REGISTRY}/{name}"
        rows = self.listed(f"{self.root}/resources", "resources", _filter=f"resourceType eq '{REGISTRY}'")
        for row in rows:
            if row["name"].lower() == name.lower():
                return str(row["id"])
        account = self.connection.account
        raise CloudError(
            f"The resource with name '{name}' and type '{REGISTRY}' could not be found in subscription "
            f"'{account['name']} ({account['id']})'."
        )

    def registry(self, name: str, group: str | None) -> dict[str, Any]:
        """Return a registry."""
        found: dict[str, Any] = self.call("GET", self.find_registry(name, group), "registries")
        return found

    def update_registry(self, resource_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change what the body names and return the registry."""
        found: dict[str, Any] = self.finish("PATCH", resource_id, "registries", body)
        return found


def _pause(answer: requests.Response) -> None:
    time.sleep(min(float(answer.headers.get("Retry-After", "1")), 30))


def segment(name: str) -> str:
    """Return a name as one segment of a path."""
    return quote(name, safe="")


def _dollar(name: str) -> str:
    return "$" + name[1:] if name.startswith("_") else name
