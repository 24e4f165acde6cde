"""A tenant read live through Resource Manager and Graph: any cloud, read-only, patient with services that throttle.

What the caller may not read is not an error: it becomes a gap that answers name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from azext_trust.audit import live_trust, recognise, shapes
from azext_trust.audit.collected import Collected, tenant
from azext_trust.clients.arm import Arm
from azext_trust.clients.graph import Graph, quoted
from azext_trust.cloud.connect import Connection
from azext_trust.cloud.errors import HttpError
from azext_trust.names import scopes
from azext_trust.names.guids import is_guid
from azext_trust.rbac.questions.facts import Unknown
from azext_trust.rbac.questions.held import HeldTenant

PATIENCE = 100
"""How many times a request is repeated that was one too many."""
LOG_DAYS = 89
"""How far back Azure's activity log goes: 90 days, less one for the way there."""
_AUTHORIZATION = "/providers/Microsoft.Authorization"
_ACR = "/providers/Microsoft.ContainerRegistry/registries"
_AWAY = (404, 405, 501)
"""What a cloud answers that does not offer something: there is then none of it."""


@dataclass
class Loader:
    """One reading of a tenant.

    Attributes:
        connection: the cloud, and as whom.
        log: whether the activity log is needed.
        trust: whether trust data are needed; what may not be read of them is then a gap.
        wanted: somebody the question is about, who may be assigned nothing.
        keys: a registry whose trust data are welcome.
    """

    connection: Connection
    log: bool = False
    trust: bool = False
    wanted: str = ""
    keys: str = ""
    found: Collected = field(default_factory=lambda: Collected(no_assignments="no role assignment of it could be read"))

    def __post_init__(self) -> None:
        self.connection.patience = max(self.connection.patience, PATIENCE)
        self.arm, self.graph = Arm(self.connection), Graph(self.connection)

    def load(self) -> HeldTenant:
        """Return the tenant as the caller may see it.

        Raises:
            azext_trust.cloud.errors.CloudError: the cloud cannot be reached, or nobody is signed in.
        """
        self._each(self.arm.pages("/subscriptions", "subscriptions"))
        self._management_groups()
        for subscription in list(self.found.subscriptions):
            self._subscription(f"/subscriptions/{subscription}")
        if not self.found.subscriptions:
            self.found.gaps.everything = "no role of yours reaches any subscription"
            self.found.gaps.general.append(Unknown("subscriptions", self.found.gaps.everything))
        self._people()
        recognise.settle(self.found)
        for registry in self.found.registries.values():
            if self.trust or self.keys.lower() in (registry.name.lower(), registry.id.lower()):
                live_trust.read(self.connection, registry, self.found, needed=self.trust)
        return tenant(self.found, datetime.now(UTC))

    # Resource Manager

    def _each(self, pages: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
        rows = [row for page in pages for row in page]
        for row in rows:
            recognise.take(self.found, row)
        return rows

    def _read(self, path: str, kind: str, **query: str) -> str:
        """Take a list; return why it could not be read, empty when it could or the cloud has no such thing."""
        try:
            self._each(self.arm.pages(path, kind, **query))
        except HttpError as error:
            if error.status in _AWAY:
                return ""
            if error.status not in (401, 403):
                raise
            return error.code or "it may not be read"
        return ""

    def _management_groups(self) -> None:
        address = self.arm.address("/providers/Microsoft.Management/getEntities", "entities")
        try:
            self._each(page for page, _ in self.arm.linked_pages(address, "POST"))
        except HttpError:
            # Inherited assignments still tell which groups lie above a subscription.
            self.found.parents.clear()

    def _subscription(self, scope: str) -> None:
        gaps = self.found.gaps
        before = len(self.found.assignments)
        why = self._read(f"{scope}{_AUTHORIZATION}/roleAssignments", "roleAssignments")
        registries = self._registries(scope)
        if why:
            self._piecewise(scope, why, registries)
        self._above(scope, before)
        refused = self._read(f"{scope}{_AUTHORIZATION}/roleDefinitions", "roleDefinitions")
        if refused and not why:
            gaps.general.append(Unknown(f"role definitions of {scope}", refused, scope))
        for kind in ("denyAssignments", "locks", "classicAdministrators"):
            refused = self._read(f"{scope}{_AUTHORIZATION}/{kind}", kind)
            if refused and kind == "denyAssignments":
                gaps.at.setdefault(scopes.key(scope), []).append(
                    Unknown(f"deny assignments of {scope}", refused, scope)
                )
        if self.log:
            self._log(scope)

    def _registries(self, scope: str) -> list[str]:
        refused = self._read(f"{scope}{_ACR}", "registries")
        if refused:
            # Without the right at the subscription, the resource list shows those that may be read.
            self.found.gaps.general.append(Unknown(f"registries of {scope}", refused, scope))
            rows = self.arm.listed(f"{scope}/resources", "resources",
                                   _filter="resourceType eq 'Microsoft.ContainerRegistry/registries'")  # fmt: skip
            for row in rows:
                self._one(str(row["id"]))
        found = [one.id for one in self.found.registries.values() if one.key.startswith(scope.lower() + "/")]
        for registry in found:
            self._tokens(registry)
        return found

    def _one(self, registry: str) -> None:
        try:
            recognise.take(self.found, self.arm.call("GET", registry, "registries"))
        except HttpError as error:
            if error.status not in (401, 403, *_AWAY):
                raise

    def _tokens(self, registry: str) -> None:
        refused = self._read(f"{registry}/scopeMaps", "registries") or self._read(f"{registry}/tokens", "registries")
        if refused:
            key = scopes.key(registry)
            self.found.registries[key] = replace(self.found.registries[key], tokens=None)

    def _piecewise(self, scope: str, why: str, registries: list[str]) -> None:
        """Read at each registry what may not be read at the subscription; what is above it shows from there."""
        self.found.gaps.general.append(Unknown(f"role assignments of {scope}", why, scope))
        for registry in registries:
            refused = self._read(f"{registry}{_AUTHORIZATION}/roleAssignments", "roleAssignments")
            refused = refused or self._read(f"{registry}{_AUTHORIZATION}/roleDefinitions", "roleDefinitions")
            if refused:
                self.found.gaps.closed[scopes.key(registry)] = refused
        if not registries:
            self.found.gaps.closed[scopes.key(scope)] = why

    def _above(self, scope: str, before: int) -> None:
        groups = {
            one.row.scope.lower() for one in self.found.assignments[before:]
            if one.row.scope.lower().startswith("/providers/microsoft.management/managementgroups/")
        }  # fmt: skip
        self.found.above.setdefault(scope.lower(), set()).update(groups)

    def _log(self, scope: str) -> None:
        since = (datetime.now(UTC) - timedelta(days=LOG_DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ")
        path = f"{scope}/providers/Microsoft.Insights/eventtypes/management/values"
        refused = self._read(path, "activity", _filter=f"eventTimestamp ge '{since}'")
        if refused:
            self.found.gaps.log.append(Unknown(f"activity log of {scope}", refused, scope))

    # Graph

    def _people(self) -> None:
        """Look up who is assigned, and the members of groups, nested ones included."""
        ids = sorted({one.row.principal_id for one in self.found.assignments} | set(self._denied()) - {""})
        try:
            for row in self.graph.by_ids(ids):
                recognise.take(self.found, row)
            self._classic()
            self._named()
        except HttpError as error:
            if error.status not in (401, 403):
                raise
            self.found.no_members = f"the directory may not be read: {error.message}"
            return
        for at, one in enumerate(self.found.assignments):
            if one.row.principal_id not in self.found.people:
                self.found.assignments[at] = replace(one, deleted=True)
        self._groups()

    def _classic(self) -> None:
        """Look up classic administrators, whom Resource Manager knows by their names only."""
        for name in self.found.classic:
            for row in self.graph.listed("/users", f"userPrincipalName eq {quoted(name)}"):
                recognise.take(self.found, row)

    def _denied(self) -> Iterator[str]:
        for deny in self.found.denies:
            yield from (who for who in (*deny.principals, *deny.exclude_principals) if who.strip("0-"))

    def _groups(self) -> None:
        edge = [one.id for one in self.found.people.values() if one.kind == "Group"]
        while edge:
            group = edge.pop()
            if group in self.found.members:
                continue
            try:
                rows = self.graph.listed(f"/groups/{group}/members")
            except HttpError as error:
                if error.status not in (401, 403, 404):
                    raise
                self.found.gaps.groups[group] = error.message
                continue
            self.found.members[group] = []
            for row in rows:
                recognise.take(self.found, row, group)
                if shapes.person_kind(shapes.flat(row)) == "Group":
                    edge.append(str(row["id"]).lower())

    def _named(self) -> None:
        """Look up who the question is about: somebody without any assignment is somebody, too."""
        name = self.wanted
        if not name:
            return
        rows: list[dict[str, Any]] = self.graph.by_ids([name]) if is_guid(name) else []
        if not rows and "@" in name:
            rows = self.graph.listed("/users", f"userPrincipalName eq {quoted(name)}")
        rows = rows or self.graph.listed("/servicePrincipals", f"servicePrincipalNames/any(c:c eq {quoted(name)})")
        for kind in ("users", "groups", "servicePrincipals"):
            rows = rows or self.graph.listed(f"/{kind}", f"displayName eq {quoted(name)}")
        for row in rows:
            recognise.take(self.found, row)
