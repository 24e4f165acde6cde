"""A twin: a live cloud read page by page into a local store (M26), to ask and rehearse on.

Read-only: nothing but GET, and the two POSTs that are queries (getEntities and getByIds). Resumable: the store keeps
with each page where the next one begins, so that a reading that was ended in any way goes on there. Memory is flat: a
page is held, never a list.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from azext_trust.audit import live_trust, twin_rows
from azext_trust.audit.live import LOG_DAYS, PATIENCE
from azext_trust.clients.arm import Arm
from azext_trust.clients.graph import Graph
from azext_trust.clients.operator import Operator
from azext_trust.clients.registry import LoginServer, NoToken, RegistryError
from azext_trust.cloud.connect import Connection, local
from azext_trust.cloud.errors import CloudError, HttpError

Made = twin_rows.Made
MOST_BYTES = 3_000_000
"""Largest piece of a page that is sent to the store at once."""
_REFUSED = (401, 403)
_AWAY = (404, 405, 501)
_STALE = (400, 404, 410)
"""What a service answers to a page's address that it has forgotten."""


class Watch(Protocol):
    """What is told how far it is."""

    def set(self, done: float, title: str | None = None) -> None:
        """Say how far, from 0 to 1, and what is being read."""
        ...


@dataclass(frozen=True)
class Step:
    """One list of the live cloud.

    Attributes:
        name: unique within a reading; its last word is the kind of its rows.
        pages: yields a page's rows and the place of the next page, given where to begin (empty: at the beginning).
    """

    name: str
    pages: Callable[[str], Iterator[tuple[list[tuple[str, dict[str, Any]]], str]]]

    @property
    def kind(self) -> str:
        """The kind of its rows."""
        return self.name.rpartition(" ")[2]


class Twin:
    """A local store that becomes the twin of a live cloud.

    Args:
        connection: the live cloud.
        folder: the cloud directory of the twin.
        watch: told how far it is.
        images: whether trust data and images are read at the login servers.
        log: whether the activity log is read.
    """

    def __init__(
        self, connection: Connection, folder: str, watch: Watch, *, images: bool = True, log: bool = True
    ) -> None:  # fmt: skip
        connection.patience = max(connection.patience, PATIENCE)
        self._live, self._watch = connection, watch
        self._arm, self._graph = Arm(connection), Graph(connection)
        self._images, self._log = images, log
        self._folder = folder
        self._store = Operator(local(folder))
        self._steps: dict[str, dict[str, Any]] = {}
        self._run = ""
        self._ended = self._planned = 0

    def pull(self, *, restart: bool = False) -> dict[str, Any]:
        """Read everything, going on where an earlier reading ended, and return how it went.

        Args:
            restart: begin anew instead.

        Raises:
            CloudError: the cloud cannot be reached, shows no subscription, or the folder holds another one's twin.
        """
        try:
            found(self._live, self._folder)
            self._begin(restart)
            self._all(self._first())
            subscriptions = [f"/subscriptions/{row['id']}" for row in self._arm_subscriptions()]
            if not subscriptions:
                # An empty twin would say that nobody can do anything.
                raise CloudError("This account sees no subscription: there is nothing that a twin could be made of.")
            self._all([step for scope in subscriptions for step in self._of_subscription(scope)])
            self._all(self._tokens())
            self._all(self._directory())
            if self._images:
                self._all(self._registries())
            ended: dict[str, Any] = self._store.call("POST", "observe/finish", {"run": self._run})
            return {**self.state(), "gone": {kind: count for kind, count in ended["gone"].items() if count}}
        finally:
            self._store.close()

    def state(self) -> dict[str, Any]:
        """Return how far the store's reading is."""
        return shown(self._store.call("GET", "observe"))

    def _begin(self, restart: bool) -> None:
        state = self._store.call("GET", "observe")
        source = self._live.profile.arm
        if restart or state["run"] is None or state["done"] or state["source"] != source:
            state = self._store.call("POST", "observe/begin", {"source": source})
        self._run = state["run"]
        self._steps = {row["step"]: row for row in state["steps"]}

    def _all(self, steps: Iterable[Step]) -> None:
        todo = list(steps)
        self._planned += len(todo)
        for step in todo:
            if not self._steps.get(step.name, {}).get("done"):
                self._read(step)
            self._ended += 1
            self._watch.set(self._ended / max(1, self._planned + 1), step.name)

    def _read(self, step: Step) -> None:
        """Read a list from where an earlier reading ended; what may not be read is noted as a problem."""
        begun = str(self._steps.get(step.name, {}).get("next") or "")
        try:
            self._pages(step, begun)
        except (HttpError, RegistryError, NoToken) as error:
            if begun and error.status in _STALE:
                # The service has forgotten that page: from the beginning, then.
                self._pages(step, "")
            elif error.status in _REFUSED:
                self._send(step, step.kind, [], "", done=True, problem=_line(error))
            elif error.status in _AWAY:
                self._send(step, step.kind, [], "", done=True)
            else:
                raise

    def _pages(self, step: Step, begun: str) -> None:
        total = 0
        for rows, after in step.pages(begun):
            by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for kind, row in rows:
                by_kind[kind].append(row)
            total += len(rows)
            pieces = [(kind, piece) for kind, held in by_kind.items() for piece in _pieces(held)]
            for kind, piece in pieces[:-1]:
                # The place to go on moves with the last piece only: the others are sent again if need be.
                self._send(step, kind, piece, begun)
            kind, piece = pieces[-1] if pieces else (step.kind, [])
            self._send(step, kind, piece, after, done=not after)
            begun = after
            self._watch.set(self._ended / max(1, self._planned + 1), f"{step.name}: {total}")

    def _send(
        self, step: Step, kind: str, rows: list[dict[str, Any]], after: str, *, done: bool = False, problem: str = ""
    ) -> None:  # fmt: skip
        page = {"run": self._run, "step": step.name, "kind": kind, "rows": rows, "next": after, "done": done}
        self._store.call("POST", "observe/page", {**page, "problem": problem})

    # What there is to read

    def _arm_list(
        self, path: str, kind: str, make: Callable[[Mapping[str, Any]], Made], *, method: str = "GET", **query: str
    ) -> Callable[[str], Iterator[tuple[list[tuple[str, dict[str, Any]]], str]]]:  # fmt: skip
        def pages(begun: str) -> Iterator[tuple[list[tuple[str, dict[str, Any]]], str]]:
            for rows, after in self._arm.linked_pages(begun or self._arm.address(path, kind, **query), method):
                yield [made for row in rows for made in make(row)], after

        return pages

    def _graph_list(
        self, path: str, make: Callable[[Mapping[str, Any]], Made]
    ) -> Callable[[str], Iterator[tuple[list[tuple[str, dict[str, Any]]], str]]]:  # fmt: skip
        def pages(begun: str) -> Iterator[tuple[list[tuple[str, dict[str, Any]]], str]]:
            for rows, after in self._graph.linked_pages(begun or f"{self._graph.root}{path}"):
                yield [made for row in rows for made in make(row)], after

        return pages

    def _first(self) -> Iterator[Step]:
        entities = "/providers/Microsoft.Management/getEntities"
        yield Step("subscription", self._arm_list("/subscriptions", "subscriptions", twin_rows.subscription))
        yield Step("management-group", self._arm_list(entities, "entities", twin_rows.entity, method="POST"))

    def _arm_subscriptions(self) -> Iterator[dict[str, Any]]:
        for page in self._arm.pages("/subscriptions", "subscriptions"):
            yield from ({"id": row["subscriptionId"]} for row in page)

    def _of_subscription(self, scope: str) -> Iterator[Step]:
        from datetime import UTC, datetime, timedelta

        at = f"{scope}/providers/Microsoft.Authorization"
        lists: tuple[tuple[str, str, str, Callable[[Mapping[str, Any]], Made]], ...] = (
            ("resource-group", f"{scope}/resourceGroups", "resources", twin_rows.resource_group),
            ("registry", f"{scope}/providers/Microsoft.ContainerRegistry/registries", "registries", twin_rows.registry),
            ("role", f"{at}/roleDefinitions", "roleDefinitions", twin_rows.role),
            ("assignment", f"{at}/roleAssignments", "roleAssignments", twin_rows.assignment),
            ("deny", f"{at}/denyAssignments", "denyAssignments", twin_rows.deny),
            ("lock", f"{at}/locks", "locks", twin_rows.lock),
        )
        for kind, path, version, make in lists:
            yield Step(f"{scope} {kind}", self._arm_list(path, version, make))
        if self._log:
            since = (datetime.now(UTC) - timedelta(days=LOG_DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ")
            path = f"{scope}/providers/Microsoft.Insights/eventtypes/management/values"
            pages = self._arm_list(path, "activity", twin_rows.event, _filter=f"eventTimestamp ge '{since}'")
            yield Step(f"{scope} event", pages)

    def _tokens(self) -> Iterator[Step]:
        for row in self._names("registry", "", "key"):
            for kind, path, make in (
                ("scope-map", "scopeMaps", twin_rows.scope_map),
                ("token", "tokens", twin_rows.token),
            ):
                yield Step(f"{row['id']} {kind}", self._arm_list(f"{row['id']}/{path}", "registries", make))

    def _directory(self) -> Iterator[Step]:
        """Yield everybody, then who is in which group, then what only has a sense for people who are there."""
        more = {"users": "accountEnabled,createdDateTime", "groups": "createdDateTime,groupTypes,securityEnabled",
                "servicePrincipals": "appId,accountEnabled,servicePrincipalNames,servicePrincipalType"}  # fmt: skip
        kinds = {"users": "User", "groups": "Group", "servicePrincipals": "ServicePrincipal"}
        for path, kind in kinds.items():
            names = "id,displayName,userPrincipalName" if path == "users" else "id,displayName"
            query = f"?$top=500&$select={names},{more[path]}"
            yield Step(f"{path} principal", self._graph_list(f"/{path}{query}", twin_rows.person(kind)))
        yield Step("groups member", self._members)
        for row in self._arm_subscriptions():
            scope = f"/subscriptions/{row['id']}"
            path = f"{scope}/providers/Microsoft.Authorization/classicAdministrators"
            yield Step(f"{scope} classic", self._arm_list(path, "classicAdministrators", twin_rows.classic))

    def _members(self, begun: str) -> Iterator[tuple[list[tuple[str, dict[str, Any]]], str]]:
        """Yield the members of every group; the place to go on is the last group that was read in full."""
        for group in self._names("group", begun, "id"):
            for rows, _ in self._graph.linked_pages(f"{self._graph.root}/groups/{group}/members?$top=500&$select=id"):
                yield [("member", {"group": group, "member": row["id"]}) for row in rows], begun or " "
            begun = group
            yield [], group
        yield [], ""

    def _names(self, kind: str, after: str, key: str) -> Iterator[Any]:
        """Yield what the store has of a kind, a page at a time."""
        after = after.strip()
        while True:
            page = self._store.call("GET", "observe/names", kind=kind, after=after)["value"]
            yield from page
            if not page:
                return
            after = page[-1] if kind == "group" else page[-1][key]

    def _registries(self) -> Iterator[Step]:
        for row in self._names("registry", "", "key"):
            if row["trust"]:
                yield Step(f"{row['id']} trust", self._trust(row))

    def _trust(
        self, registry: dict[str, Any]
    ) -> Callable[[str], Iterator[tuple[list[tuple[str, dict[str, Any]]], str]]]:
        """Return the pages of a registry's repositories, one each; the place to go on is the last one's name."""

        def pages(begun: str) -> Iterator[tuple[list[tuple[str, dict[str, Any]]], str]]:
            server = LoginServer(self._live, registry["loginServer"])
            for name in sorted(live_trust.catalog(server)):
                if name > begun:
                    yield [("trust", self._repository(server, registry, name))], name
            yield [], ""

        return pages

    def _repository(self, server: LoginServer, registry: dict[str, Any], name: str) -> dict[str, Any]:
        gun = f"{registry['loginServer']}/{name}"
        contents = live_trust.metadata(self._live, server, gun)
        tags, manifests = live_trust.images(server, name)
        images = {"tags": tags, "manifests": sorted(manifests)} if tags is not None and manifests is not None else None
        held = {role: base64.b64encode(raw).decode() for role, raw in contents.items()}
        return {"registry": registry["id"], "gun": gun, "repository": name, "metadata": held, "images": images}


def _pieces(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield rows in pieces that the store takes at once."""
    piece: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        length = len(json.dumps(row))
        if piece and size + length > MOST_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += length
    if piece:
        yield piece


def _line(error: Exception) -> str:
    """Return the telling line of az's texts: the last one of those that begin with a time."""
    lines = str(error).splitlines()
    return lines[-1 if isinstance(error, NoToken) else 0] if lines else ""


def found(live: Connection, folder: str) -> None:
    """Found the twin's store for the live cloud's tenant, unless it is there.

    Raises:
        CloudError: the folder is a cloud of its own, or the twin of another tenant.
    """
    place = Path(folder).expanduser()
    tenant = str(live.account["tenantId"])
    seed = None
    if not (place / "state.db").exists():
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        seed = place / "twin.seed"
        user = str((live.account.get("user") or {}).get("name", ""))
        domain = user.partition("@")[2] or "twin.local"
        subscription = {"id": live.account["id"], "name": live.account["name"]}
        seed.write_text(json.dumps({"tenant": {"id": tenant, "domain": domain}, "subscription": subscription}))
    connection = local(folder)
    connection.seed = seed
    operator = Operator(connection)
    try:
        state = operator.call("GET", "observe")
    finally:
        operator.close()
        if seed is not None:
            seed.unlink(missing_ok=True)
    if state["tenantId"] != tenant:
        raise CloudError(
            f"{folder} holds the tenant {state['tenantId']}, not {tenant}: take another directory (--into)."
        )


def shown(state: dict[str, Any]) -> dict[str, Any]:
    """Return a reading's state as it is printed: counts by kind, and what could not be read."""
    counts: dict[str, int] = defaultdict(int)
    for row in state["steps"]:
        counts[row["step"].rpartition(" ")[2]] += row["count"]
    problems = [{"step": row["step"], "why": row["problem"]} for row in state["steps"] if row["problem"]]
    ended = sum(row["done"] for row in state["steps"])
    return {
        "source": state["source"], "tenantId": state["tenantId"], "done": state["done"], "counts": dict(sorted(counts.items())),
        "steps": {"done": ended, "begun": len(state["steps"])}, "unknown": problems,
    }  # fmt: skip
