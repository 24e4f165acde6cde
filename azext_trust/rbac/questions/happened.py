"""What an entry of the activity log needed: who asked for which actions where, and whether it would be allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from azext_trust.names.guids import is_guid
from azext_trust.rbac import decide, operations
from azext_trust.rbac.capabilities import Needs
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import Decision, Query
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions.facts import REGISTRIES, REPOSITORY_NAME, Event, Registry, State, Tenant

_CAPABILITIES = {
    f"{REGISTRIES}/push/write": "push", f"{REGISTRIES}/artifacts/delete": "delete",
    f"{REGISTRIES}/repositories/content/write": "push", f"{REGISTRIES}/repositories/content/delete": "delete",
    f"{REGISTRIES}/trustedCollections/write": "sign", f"{REGISTRIES}/trustedCollections/keys/write": "sign",
    f"{REGISTRIES}/trustedCollections/delete": "sign", f"{REGISTRIES}/sign/write": "sign",
}  # fmt: skip
"""What is logged by one name and takes different actions in the two modes of a registry, or several."""
SIGN_IN = "aztrust/registries/signIn"
DIRECTORY = "microsoft.directory/"


@dataclass(frozen=True)
class Need:
    """What a logged request needed.

    Attributes:
        who: object id.
        word: the capability or the action.
        needs: groups of actions.
        scope: where.
        registry: the registry concerned, None for other resources.
        request: attributes for conditions.
    """

    who: str
    word: str
    needs: Needs
    scope: str
    registry: Registry | None
    request: Mapping[str, object]

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two requests the same to the evaluator."""
        return self.who, self.word, self.scope, self.needs, tuple(self.request.items())


def need_of(state: State, event: Event, hosts: Mapping[str, Registry]) -> Need | None:
    """Return what an entry needed of role assignments; None where they have no part in it.

    Args:
        state: the facts.
        event: the entry.
        hosts: registries by login server, lower case, for entries about trust data (`by_host`).
    """
    if not is_guid(event.caller_id) or event.operation.lower().startswith((DIRECTORY, "aztrust/", "microsoft.aadiam/")):
        return None
    word = _CAPABILITIES.get(event.operation, event.operation)
    registry = _registry(state, event, hosts)
    if "/" not in word and registry is None:
        return None
    needs = asking.needs_of(word, registry)
    if needs is None:
        return None
    scope = registry.id if registry is not None and "/" not in word else event.scope
    repository = repository_of(event)
    request: dict[str, object] = {REPOSITORY_NAME: repository} if repository else {}
    return Need(event.caller_id.lower(), word, needs, scope, registry, request)


def by_host(state: State) -> dict[str, Registry]:
    """Return registries by login server, in lower case."""
    return {row.login_server.lower(): row for row in state.registries.values() if row.login_server}


def _registry(state: State, event: Event, hosts: Mapping[str, Registry]) -> Registry | None:
    found = hosts.get(event.scope.strip("/").split("/", 1)[0].lower())
    if found is not None:
        return found
    chain = state.index.tree.chain(event.scope) if event.scope.startswith("/") else ()
    return next((state.registries[key] for key in chain if key in state.registries), None)


def repository_of(event: Event) -> str:
    """Return the repository that an entry is about, as far as its details tell."""
    for name in ("after", "before"):
        held = event.details.get(name)
        if isinstance(held, Mapping):
            if held.get("repository"):
                return str(held["repository"])
            if held.get("gun"):
                return str(held["gun"]).partition("/")[2]
    return ""


def decisions(tenant: Tenant, index: Index, need: Need) -> list[tuple[str, Decision]]:
    """Return a decision for each group of actions: on the one that is allowed, else on the first."""
    found = []
    for group in need.needs:
        weighed = [(action, _decided(tenant, index, need, action)) for action in group]
        found.append(next((one for one in weighed if one[1].allowed), weighed[0]))
    return found


def _decided(tenant: Tenant, index: Index, need: Need, action: str) -> Decision:
    query = Query(
        action, operations.is_data_action(action), need.scope, need.request, now=tenant.now, open=not need.request
    )
    return decide.explain(index, need.who, query)


def missing(tenant: Tenant, index: Index, need: Need) -> str:
    """Return the first action that is not allowed, empty when all are."""
    return next((action for action, decision in decisions(tenant, index, need) if not decision.allowed), "")
