"""Can this one: the verdict, and of a refusal what came nearest and the one smallest fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from azext_trust.rbac import decide, operations
from azext_trust.rbac.model import Decision, Query
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import fixes, paths, wording
from azext_trust.rbac.questions.answers import Answer, AskError, answer
from azext_trust.rbac.questions.asked import Asked, Place
from azext_trust.rbac.questions.facts import Person, Tenant, Unknown
from azext_trust.rbac.questions.rows import MissRow, VerdictRow

NEAREST = 10
"""How many misses a verdict names."""


@dataclass(frozen=True)
class Weighed:
    """The decisions on one group of actions of which any one is enough: the one that counts."""

    action: str
    decision: Decision


def can(tenant: Tenant, asked: Asked) -> Answer:
    """Return whether somebody can do something at one place.

    Raises:
        AskError: it cannot be asked so.
    """
    place, unknown = one_place(tenant, asked)
    person = asking.principal(tenant, asked.assignee)
    if place is None:
        return answer([], unknown)
    row, more = verdict(tenant, asked, place, person)
    return answer([row], more)


def one_place(tenant: Tenant, asked: Asked) -> tuple[Place | None, list[Unknown]]:
    """Return the one place a question is about; None when nothing can be said about it.

    Raises:
        AskError: no place is named.
    """
    asking.check(asked)
    if not asked.registry and not asked.scope:
        raise AskError("Name a registry (-r) or a --scope.")
    found, unknown = asking.places(tenant, asked)
    return (found[0] if found else None), unknown


def verdict(tenant: Tenant, asked: Asked, place: Place, person: Person) -> tuple[VerdictRow, list[Unknown]]:
    """Return the verdict about one principal, and what could overturn a refusal if it were known."""
    needed = asking.needs(asked, place)
    weighed = [weigh(tenant, asked, place, person.id, group) for group in needed or ()]
    missing = [one for one in weighed if not one.decision.allowed]
    people = tenant.people([person.id])
    known = people.get(person.id, person)
    allowed = needed is not None and not missing
    unknown = [] if allowed else _open(tenant, asked, place, missing)
    notes = [wording.obstacle(tenant.state, place.registry, asked.word)]
    if known.kind == "Unknown":
        notes.append("there is no such principal in the directory")
    row = VerdictRow(
        person.id, wording.label(person.id, {person.id: known}), known.kind, asked.word, place.label, place.scope,
        None if unknown and not allowed else allowed, allowed and any(one.decision.depends for one in weighed),
        tuple(one.action for one in missing), tuple(_nearest(missing))[:NEAREST],
        None if allowed else _fix(tenant, place, known, missing, mode=needed is None),
        "; ".join(note for note in notes if note),
    )  # fmt: skip
    return row, unknown


def weigh(tenant: Tenant, asked: Asked, place: Place, principal_id: str, group: Sequence[str]) -> Weighed:
    """Decide on actions of which any one is enough; the first that is allowed counts, else the first."""
    found = [Weighed(action, decided(tenant, asked, place.scope, principal_id, action)) for action in group]
    return next((one for one in found if one.decision.allowed), found[0])


def decided(tenant: Tenant, asked: Asked, scope: str, principal_id: str, action: str) -> Decision:
    """Return the evaluator's decision with its reasons; of conditions on other repositories than the one asked for too."""
    query = Query(
        action, operations.is_data_action(action), scope, asked.request, now=tenant.now, open=True,
    )  # fmt: skip
    return decide.explain(tenant.state.index, principal_id, query)


def _open(tenant: Tenant, asked: Asked, place: Place, missing: list[Weighed]) -> list[Unknown]:
    """Return what is not known and could allow what is missing."""
    index = tenant.state.index
    unknown = list(tenant.sight.gaps(index.tree.chain(place.scope)))
    if not tenant.sight.hidden_groups():
        return unknown
    people = paths.hidden_holders(tenant, asked, place, [one.action for one in missing])
    for group in people.values():
        unknown.append(Unknown(f"members of group {group.label} ({group.id})", tenant.sight.why_hidden(group.id)))
    return unknown


def _nearest(missing: list[Weighed]) -> Iterator[MissRow]:
    """Yield the misses of all missing actions, each assignment once, nearest first."""
    seen: set[object] = set()
    for one in missing:
        deny = one.decision.denied_by
        if deny is not None and deny.id not in seen:
            seen.add(deny.id)
            yield MissRow("deny", one.action, paths.deny_id(deny), deny.name, deny.scope,
                          f"the deny assignment {deny.name} takes it away")  # fmt: skip
    for one in missing:
        for miss in one.decision.misses:
            key = (miss.kind, miss.assignment.id if miss.assignment else "")
            if key not in seen:
                seen.add(key)
                yield MissRow(
                    miss.kind, one.action, wording.assignment_id(miss.assignment), miss.role.name if miss.role else None,
                    miss.assignment.scope if miss.assignment else None, miss.detail,
                )  # fmt: skip


def _fix(tenant: Tenant, place: Place, person: Person, missing: list[Weighed], *, mode: bool) -> str | None:
    if mode:
        return fixes.mode_command(place.registry) if place.registry is not None else None
    actions = [one.action for one in missing]
    return fixes.fix(tenant.state.index, person, place.scope, actions, [one.decision for one in missing])
