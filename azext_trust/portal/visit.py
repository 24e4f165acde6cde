"""One request of a visitor: what was asked, who asks, in which language, and the clients that act with their tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

from azext_trust.audit.permitted import Permitted
from azext_trust.clients.arm import Arm, segment
from azext_trust.clients.graph import Graph
from azext_trust.clients.operator import Operator
from azext_trust.cloud.errors import HttpError
from azext_trust.portal import cookies, render
from azext_trust.portal.connection import VisitorConnection
from azext_trust.portal.place import Place
from azext_trust.portal.sessions import Session
from azext_trust.portal.words import Words

Values = Mapping[str, list[str]]


@dataclass(frozen=True)
class Asked:
    """What a browser sent.

    Attributes:
        method: upper case.
        path: decoded.
        params: the path's placeholders, decoded.
        query: the query's members.
        form: a post's members.
        headers: names in lower case.
        cookies: by name.
    """

    method: str
    path: str
    params: Mapping[str, str]
    query: Values
    form: Values
    headers: Mapping[str, str]
    cookies: Mapping[str, str]

    @property
    def fragment(self) -> bool:
        """Whether htmx asks for a part of a page."""
        return self.headers.get("hx-request") == "true"

    @property
    def here(self) -> str:
        """Path and query, as a page that one comes back to."""
        text = "&".join(f"{quote(name)}={quote(value)}" for name, values in self.query.items() for value in values)
        return quote(self.path) + (f"?{text}" if text else "")


@dataclass
class Visit:
    """A signed-in visitor's request.

    Attributes:
        asked: the request.
        visitor: who asks.
        connection: the cloud, with the visitor's tokens.
        words: the texts of the visitor's language.
        theme: ``system``, ``light`` or ``dark``.
        place: what the page is about, or None.
    """

    asked: Asked
    visitor: Session
    connection: VisitorConnection
    words: Words
    theme: str
    place: Place | None = None
    _permitted: dict[str, Permitted] = field(default_factory=dict)

    @cached_property
    def arm(self) -> Arm:
        """Resource Manager."""
        return Arm(self.connection)

    @cached_property
    def graph(self) -> Graph:
        """The directory."""
        return Graph(self.connection)

    @cached_property
    def operator(self) -> Operator:
        """What this cloud has and Azure lacks."""
        return Operator(self.connection)

    @property
    def at(self) -> Place:
        """What the page is about."""
        assert self.place is not None
        return self.place

    def query(self, name: str) -> str:
        """Return a member of the query, empty when it is missing."""
        return (self.asked.query.get(name) or [""])[-1]

    def form(self, name: str) -> str:
        """Return a member of the form, empty when it is missing."""
        return (self.asked.form.get(name) or [""])[-1]

    def permitted(self, scope: str) -> Permitted:
        """Return what the visitor's roles give at a scope; asked once."""
        if scope not in self._permitted:
            rows = self.arm.listed(f"{path(scope)}/providers/Microsoft.Authorization/permissions", "permissions")
            self._permitted[scope] = Permitted(rows)
        return self._permitted[scope]

    def lacks(self, action: str) -> str:
        """Return why the visitor may not do something here, empty when they may as far as roles tell."""
        if self.permitted(self.at.id).allows(action):
            return ""
        return self.words("lacks", action=action, scope=self.at.name)

    @cached_property
    def status(self) -> dict[str, Any]:
        """What the cloud tells any signed-in caller: its retirement position, its clock."""
        return self.operator.status()

    @property
    def now(self) -> datetime:
        """The cloud's present, which may be set: not this machine's."""
        told = self.status.get("now")
        return datetime.fromisoformat(str(told)) if told else datetime.now(UTC)

    @property
    def retirement(self) -> str:
        """Where the cloud's retirement switch stands (M5)."""
        return str(self.status.get("retirement", "off"))

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page, or for htmx the part of it that has the template's name with an underscore in front."""
        toast = cookies.toast(self.asked.cookies, self.words)
        answer = HTMLResponse(render.page(template, self, toast=toast, **values), status)
        if toast:
            cookies.forget_toast(answer)
        return answer

    def go(self, where: str, toast: str = "", **values: str) -> Response:
        """Return a redirect to a page after a change, with a notice to show there.

        Args:
            where: a path of the portal.
            toast: key of the notice's text, or empty.
            values: what the text names.
        """
        answer = Response(status_code=303, headers={"location": quote(where, safe="/?&=%:@,;+-._~()'!$*")})
        if toast:
            cookies.set_toast(answer, toast, values)
        return answer

    def names_of(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        """Return directory objects by id; without the right to read the directory, none."""
        wanted = sorted(set(ids))
        try:
            return {str(row["id"]): row for row in self.graph.by_ids(wanted)} if wanted else {}
        except HttpError:
            return {}


def path(scope: str) -> str:
    """Return a scope with each name in it as one segment of a path."""
    return "/".join(segment(part) for part in scope.split("/"))
