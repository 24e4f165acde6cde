"""The activity log under a proposed change: which requests that passed would have failed, and the other way round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import changes, happened, wording
from azext_trust.rbac.questions.answers import Answer, answer
from azext_trust.rbac.questions.asked import Asked
from azext_trust.rbac.questions.changes import Changed
from azext_trust.rbac.questions.facts import Event, State, Tenant
from azext_trust.rbac.questions.happened import Need
from azext_trust.rbac.questions.rows import ReplayRow

ALLOWED, DENIED = "Allowed", "Denied"


def replay(tenant: Tenant, asked: Asked) -> Answer:
    """Return the entries of the log that would end otherwise under a change, oldest first.

    An entry is weighed twice, with the facts of now and with the change: what has changed since it was written is no
    part of the difference.

    Raises:
        ChangeError: a change cannot be made.
    """
    changed = changes.make(tenant, asked.changes)
    wanted = asking.principal(tenant, asked.assignee).id if asked.assignee else ""
    events = [
        event for event in tenant.events(oldest_first=True)
        if event.time >= asked.since and (not wanted or event.caller_id.lower() == wanted)
    ]  # fmt: skip
    rows = list(_rows(tenant, changed, events))
    people = tenant.people({row.principal_id for row in rows})
    unknown = [*tenant.sight.elsewhere(), *tenant.sight.log()]
    return answer([_named(row, wording.label(row.principal_id, people)) for row in rows], unknown)


def _named(row: ReplayRow, name: str | None) -> ReplayRow:
    from dataclasses import replace

    return replace(row, principal_name=name or row.principal_name)


def _rows(tenant: Tenant, changed: Changed, events: list[Event]) -> Iterator[ReplayRow]:
    hosts = happened.by_host(tenant.state)
    known: dict[object, tuple[str, str]] = {}
    for event in events:
        need = happened.need_of(tenant.state, event, hosts)
        if need is None or event.outcome not in (ALLOWED, DENIED):
            continue
        if need.key not in known:
            known[need.key] = (_fails(tenant, tenant.state, need), _fails(tenant, changed.state, need))
        now, then = known[need.key]
        if bool(now) != bool(then):
            yield ReplayRow(
                event.time, need.who, event.caller_name or None, event.operation, event.scope,
                DENIED if now else ALLOWED, DENIED if then else ALLOWED, then or None, event.correlation_id,
                then if then and "/" not in then else "",
            )  # fmt: skip


def _fails(tenant: Tenant, state: State, need: Need) -> str:
    """Return the action that is missing, or what stands in everybody's way; empty when it passes."""
    registry = state.registries.get(need.registry.key) if need.registry is not None else None
    if registry is not None and "/" not in need.word:
        needs = asking.needs_of(need.word, registry)
        if needs is None:
            return wording.obstacle(state, registry, need.word)
        need = Need(need.who, need.word, needs, need.scope, registry, need.request)
    found = happened.missing(tenant, state.index, need)
    if found:
        return found
    word = {"Microsoft.ContainerRegistry/registries/write": "manage-policy",
            "Microsoft.Authorization/roleAssignments/write": "grant"}.get(need.word, need.word)  # fmt: skip
    return wording.obstacle(state, registry, word)


def summary(rows: list[ReplayRow]) -> str:
    """Return the answer in a sentence: "12 pushes would have failed"."""
    words = {"push": "pushes", "trustedCollections": "publications of signatures", "artifacts": "deletions"}
    failed = Counter(
        next((text for part, text in words.items() if f"/{part}/" in row.action), row.action)
        for row in rows if row.would == DENIED
    )  # fmt: skip
    told = [f"{count} {what}" for what, count in failed.most_common()]
    passed = sum(1 for row in rows if row.would == ALLOWED)
    texts = [f"{', '.join(told)} would have failed" if told else "nothing that passed would have failed"]
    if passed:
        texts.append(f"{passed} refused requests would have passed")
    return "; ".join(texts) + "."
