"""Microsoft Graph, as az speaks to it (az-wire-contract.md section 6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import requests

from azext_trust.cloud.connect import Connection
from azext_trust.cloud.errors import CloudError, GraphError, HttpError, NotFound

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def quoted(text: str) -> str:
    """Return a text as an OData literal."""
    return "'" + text.replace("'", "''") + "'"


class Graph:
    """Graph of a connection.

    Args:
        connection: the cloud and account.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def root(self) -> str:
        """Graph's address with its version."""
        return self.connection.profile.graph.rstrip("/") + "/v1.0"

    @property
    def scope(self) -> str:
        """The scope of Graph's tokens."""
        return f"{self.connection.profile.graph}/.default"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send a request and return the JSON of the answer, None when it has none.

        Raises:
            HttpError: the service refused.
        """
        more = {} if body is None else {"json": body}
        answer = self._request(method, self.root + path, **more)
        return answer.json() if answer.content else None

    def _request(self, method: str, url: str, **more: Any) -> requests.Response:
        try:
            return self.connection.request(method, url, self.scope, **more)
        except HttpError as error:
            raise GraphError(error.status, error.code, error.message) from None

    def listed(self, path: str, *filters: str | None) -> list[dict[str, Any]]:
        """Return all rows of a collection that fit the filters, following its pages."""
        filter_text = " and ".join(text for text in filters if text)
        query = f"?$filter={quote(filter_text)}" if filter_text else ""
        return [row for page, _ in self.linked_pages(self.root + path + query) for row in page]

    def linked_pages(self, url: str) -> Iterator[tuple[list[dict[str, Any]], str]]:
        """Yield the rows of a collection page by page, each with the address of the next page, empty at the end."""
        while url:
            found = self._request("GET", url).json()
            url = str(found.get("@odata.nextLink") or "")
            yield list(found["value"]), url

    def assignee(self, name: str) -> tuple[str, str]:
        """Return object id and principal type of a user name, appId, service principal name or object id.

        Raises:
            CloudError: the directory has none.
        """
        if "@" in name:
            found = self.listed("/users", f"userPrincipalName eq {quoted(name)}")
            if found:
                return found[0]["id"], "User"
        found = self.listed("/servicePrincipals", f"servicePrincipalNames/any(c:c eq {quoted(name)})")
        if found:
            return found[0]["id"], "ServicePrincipal"
        if _GUID.fullmatch(name):
            rows = self.by_ids([name])
            if rows:
                kind = str(rows[0]["@odata.type"]).rpartition(".")[2]
                return rows[0]["id"], kind[0].upper() + kind[1:]
        raise CloudError(
            f"Cannot find user or service principal in graph database for '{name}'. If the assignee is an appId, make "
            "sure the corresponding service principal is created with 'aztrust ad sp create --id "
            f"{name}'."
        )

    def by_ids(self, ids: list[str]) -> list[dict[str, Any]]:
        """Return those of the ids that exist."""
        rows: list[dict[str, Any]] = []
        kinds = ["user", "group", "servicePrincipal", "directoryObjectPartnerReference"]
        for at in range(0, len(ids), 1000):
            found = self.call("POST", "/directoryObjects/getByIds", {"ids": ids[at : at + 1000], "types": kinds})
            rows += found["value"]
        return rows

    def group_id(self, name: str) -> str:
        """Return the object id of a group named by id or display name.

        Raises:
            CloudError: there is none, or more than one.
        """
        if _GUID.fullmatch(name):
            return name
        found = self.listed("/groups", f"displayName eq {quoted(name)}")
        if len(found) != 1:
            what = "More than one group objects has the display name of" if found else "No group matches the name of"
            raise CloudError(f"{what} '{name}'")
        return str(found[0]["id"])

    def owned(self, kind: str) -> list[dict[str, Any]]:
        """Return what the signed-in user owns, of one kind: ``#microsoft.graph.application`` ..."""
        return [row for row in self.listed("/me/ownedObjects") if row.get("@odata.type") == kind]

    def application(self, name: str) -> dict[str, Any]:
        """Return the application with this appId, object id or identifier URI.

        Raises:
            CloudError: there is none.
        """
        row: dict[str, Any] = self.call("GET", f"/applications/{self.application_id(name)}")
        return row

    def application_id(self, name: str) -> str:
        """Return the object id of an application; a GUID that is no appId is taken for an object id, as az does.

        Raises:
            CloudError: no application has this identifier URI.
        """
        guid = _GUID.fullmatch(name)
        text = f"appId eq {quoted(name)}" if guid else f"identifierUris/any(s:s eq {quoted(name)})"
        found = self.listed("/applications", text)
        if found or guid:
            return str(found[0]["id"]) if found else name
        raise NotFound(f"Application with identifier URI '{name}' doesn't exist")

    def service_principal(self, name: str) -> dict[str, Any]:
        """Return the service principal with this servicePrincipalName or object id.

        Raises:
            CloudError: there is none.
        """
        row: dict[str, Any] = self.call("GET", f"/servicePrincipals/{self.service_principal_id(name)}")
        return row

    def service_principal_id(self, name: str) -> str:
        """Return the object id of a service principal; a GUID that is no servicePrincipalName is taken for one.

        Raises:
            CloudError: no service principal has this name.
        """
        found = self.listed("/servicePrincipals", f"servicePrincipalNames/any(c:c eq {quoted(name)})")
        if found or _GUID.fullmatch(name):
            return str(found[0]["id"]) if found else name
        raise NotFound(f"Service principal '{name}' doesn't exist")
