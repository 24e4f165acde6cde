"""What somebody can: its assignments by scope, with what they give and what it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from azext_trust.names import scopes
from azext_trust.rbac import bits, capabilities, decide, operations, what_can
from azext_trust.rbac.model import Query
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import wording
from azext_trust.rbac.questions.answers import Answer, answer
from azext_trust.rbac.questions.asked import WORDS, Asked
from azext_trust.rbac.questions.facts import Person, Tenant, Unknown
from azext_trust.rbac.questions.rows import GrantRow
from azext_trust.rbac.what_can import Held


def what_can_do(tenant: Tenant, asked: Asked) -> Answer:
    """Return the assignments that concern somebody, in the order of scopes.

    Raises:
        AskError: nobody is meant, or several are.
    """
    person = asking.principal(tenant, asked.assignee)
    unknown = list(tenant.sight.elsewhere())
    held = what_can.held(tenant.state.index, person.id)
    shown = [row for row in held if tenant.sight.shows(row.assignment.scope)]
    unknown += _memberships(tenant)
    people = tenant.people({person.id, *(group for row in shown for group in row.group_chain)})
    rows = [_row(tenant, person, row, people) for row in shown]
    rows += _classic(tenant, person)
    return answer(rows, unknown)


def _memberships(tenant: Tenant) -> Iterator[Unknown]:
    """Yield what is not known about groups this principal may be in: of those that hold anything."""
    index, hidden = tenant.state.index, tenant.sight.hidden_groups()
    if not hidden:
        return
    ids = [index.numbers.name(number) for number in bits.numbers(hidden) if index.held(number)]
    people = tenant.people(ids)
    for group in ids:
        name = wording.label(group, people)
        text = f"members of group {name} ({group})" if name else f"members of group {group}"
        yield Unknown(text, tenant.sight.why_hidden(group))


def _row(tenant: Tenant, person: Person, held: Held, people: Mapping[str, Person]) -> GrantRow:
    role = held.role
    lists: list[tuple[str, ...]] = [(), (), (), ()]
    for one in role.permissions if role else ():
        for at, words in enumerate((one.actions, one.not_actions, one.data_actions, one.not_data_actions)):
            lists[at] = (*lists[at], *words)
    name = wording.label(person.id, people) or (person.label if person.name else None)
    via = wording.via(held.group_chain, people)
    return GrantRow(
        person.id, name, held.assignment.scope, role.name if role else None, held.assignment.role_id, via,
        held.group_chain, wording.assignment_id(held.assignment), held.assignment.condition, lists[0], lists[1], lists[2],
        lists[3], effective(tenant, person.id, held.assignment.scope),
    )  # fmt: skip


def effective(tenant: Tenant, principal_id: str, scope: str) -> tuple[str, ...]:
    """Return the capabilities somebody has at a scope, also under conditions."""
    registry = tenant.state.registries.get(scopes.key(scope))
    found = []
    for word in WORDS:
        needed = capabilities.needs(word, registry.mode if registry else capabilities.LEGACY)
        if needed is not None and all(
            any(_allowed(tenant, principal_id, action, scope) for action in group) for group in needed
        ):
            found.append(word)
    return tuple(found)


def _allowed(tenant: Tenant, principal_id: str, action: str, scope: str) -> bool:
    query = Query(action, operations.is_data_action(action), scope, now=tenant.now, open=True)
    return decide.allows(tenant.state.index, principal_id, query)


def _classic(tenant: Tenant, person: Person) -> Iterator[GrantRow]:
    """Yield a row for each subscription of which somebody is a classic administrator."""
    index = tenant.state.index
    number = index.numbers.known(person.id)
    known = index.principal(number) if number is not None else None
    held = known.classic_administrator_of if known else frozenset()
    subscriptions = {"/".join(row.id.split("/")[:3]) for row in tenant.state.registries.values()}
    for scope in sorted(subscriptions):
        if ("*" in held or scope.split("/")[2].lower() in held) and tenant.sight.shows(scope):
            yield GrantRow(
                person.id, wording.label(person.id, tenant.people([person.id])), scope, "Classic administrator", "",
                wording.CLASSIC, (), None, None, ("*",), (), (), (), effective(tenant, person.id, scope),
            )  # fmt: skip
