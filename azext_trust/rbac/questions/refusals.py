"""A refusal explained: the missing permission, where, what came nearest, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from azext_trust.names.guids import is_guid
from azext_trust.rbac import directory, match
from azext_trust.rbac.model import Decision
from azext_trust.rbac.questions import asked as asking
from azext_trust.rbac.questions import fixes, happened, paths, wording
from azext_trust.rbac.questions.answers import Answer, NotThere, answer
from azext_trust.rbac.questions.asked import Asked
from azext_trust.rbac.questions.facts import REGISTRIES, Event, Person, Registry, Tenant
from azext_trust.rbac.questions.happened import Need
from azext_trust.rbac.questions.rows import MissRow, RefusalRow

PULL = f"{REGISTRIES}/pull/read"
STALE = "sign in again: roles changed since"
"""The login server's reason for a token that is older than a change of roles (M11)."""


def explain(tenant: Tenant, asked: Asked) -> Answer:
    """Explain the last refusal of somebody, or the one with a correlation id.

    Raises:
        NotThere: the log has none, or none that may be read.
    """
    person = asking.principal(tenant, asked.assignee) if asked.assignee else None
    event = _event(tenant, asked, person)
    if event is None:
        whose = f" of {person.label}" if person else ""
        which = f" with the correlation id {asked.correlation_id}" if asked.correlation_id else ""
        raise NotThere(f"The activity log that can be read here holds no refusal{whose}{which}.")
    return answer([explained(tenant, event)], ())


def _event(tenant: Tenant, asked: Asked, person: Person | None) -> Event | None:
    names = {person.id, person.name.lower(), person.app_id.lower()} - {""} if person else set()
    for event in tenant.events(outcome="Denied"):
        if asked.correlation_id and event.correlation_id != asked.correlation_id:
            continue
        if person is None or names & {event.caller_id.lower(), event.caller_name.lower()}:
            return event
    return None


def explained(tenant: Tenant, event: Event) -> RefusalRow:
    """Return what is to be said of one refusal."""
    hosts = happened.by_host(tenant.state)
    need = happened.need_of(tenant.state, event, hosts)
    found = happened.decisions(tenant, tenant.state.index, need) if need else []
    missing = [(action, decision) for action, decision in found if not decision.allowed]
    now = "" if need is None else "Denied" if missing else "Allowed"
    people = tenant.people([event.caller_id.lower()])
    told = str(event.details.get("missing") or "") or (event.operation if need else "")
    if event.operation == happened.SIGN_IN and event.details.get("reason") == _NO_PERMISSION:
        told = PULL  # the least that opens a registry's door
    nearest = tuple(_logged(event)) or tuple(_now(missing))
    person = people.get(event.caller_id.lower(), Person(event.caller_id.lower(), "Unknown", event.caller_name))
    return RefusalRow(
        event.time, event.caller_id, wording.label(event.caller_id.lower(), people) or event.caller_name or None,
        event.operation, event.scope, told or None, _reason(event, nearest, now), nearest,
        _fix(tenant, event, need, missing, person), now, event.correlation_id,
    )  # fmt: skip


def _logged(event: Event) -> Iterator[MissRow]:
    """Yield the misses as the server wrote them down at the time."""
    rows = event.details.get("nearest")
    action = str(event.details.get("missing") or event.operation)
    if event.details.get("denyAssignment"):
        yield MissRow(
            "deny", action, str(event.details["denyAssignment"]), None, None, "a deny assignment takes it away"
        )
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping):
            given = {name: str(row[name]) if row.get(name) else None for name in ("assignment", "role", "scope")}
            yield MissRow(str(row.get("kind", "")), action, given["assignment"], given["role"], given["scope"],
                          str(row.get("detail", "")))  # fmt: skip


Missing = list[tuple[str, Decision]]
"""Actions that are not allowed now, with the decisions on them."""


def _now(missing: Missing) -> Iterator[MissRow]:
    for action, decision in missing:
        if decision.denied_by is not None:
            deny = decision.denied_by
            yield MissRow("deny", action, paths.deny_id(deny), deny.name, deny.scope, "a deny assignment takes it away")
        for miss in decision.misses[:5]:
            yield MissRow(
                miss.kind, action, wording.assignment_id(miss.assignment), miss.role.name if miss.role else None,
                miss.assignment.scope if miss.assignment else None, miss.detail,
            )  # fmt: skip


_KINDS = {
    "condition": "the condition of an assignment does not hold for this request",
    "classic": "a classic administrator may not sign",
    "notActions": "the role takes the action away by its notActions",
    "plane": "the role gives actions of the other plane only",
    "scope": "the role that gives it is assigned elsewhere",
    "principal": "there is no such principal in the directory",
    "deny": "a deny assignment takes it away",
}


def _reason(event: Event, nearest: tuple[MissRow, ...], now: str) -> str:
    given = str(event.details.get("reason") or "")
    if given:
        return given
    why = _KINDS.get(nearest[0].kind, "no assignment comes near") if nearest else "no assignment comes near"
    if event.operation.lower().startswith(happened.DIRECTORY):
        why = "no directory role of the caller gives it"
    return f"{why}; roles changed since: it is allowed now" if now == "Allowed" else why


def _fix(
    tenant: Tenant, event: Event, need: Need | None, missing: Missing, person: Person
) -> str | None:  # fmt: skip
    registry = need.registry if need else _registry(tenant, event)
    if str(event.details.get("reason", "")) == STALE or (registry is not None and need is not None and not missing):
        name = registry.name if registry is not None else "REGISTRY"
        return f"az acr login --name {name}"
    if event.operation.lower().startswith(happened.DIRECTORY):
        return _directory_fix(event, person)
    if event.operation == happened.SIGN_IN and event.details.get("reason") == _NO_PERMISSION:
        return fixes.grant_command("AcrPull", person.id, person.kind, registry.id if registry else event.scope)
    if need is None or not missing:
        return None
    actions = [action for action, _ in missing]
    return fixes.fix(tenant.state.index, person, need.scope, actions, [one for _, one in missing])


_NO_PERMISSION = "no permission on the registry"


def _registry(tenant: Tenant, event: Event) -> Registry | None:
    chain = tenant.state.index.tree.chain(event.scope) if event.scope.startswith("/") else ()
    return next((tenant.state.registries[key] for key in chain if key in tenant.state.registries), None)


def _directory_fix(event: Event, person: Person) -> str | None:
    """Return the call of Graph that gives the smallest directory role with the permission; az has no command for it."""
    fitting = [
        role for role in directory.directory_roles().values()
        if any(match.matches(pattern, event.operation) for pattern in role.permissions)
    ]  # fmt: skip
    if not fitting or not is_guid(person.id):
        return None
    role = min(fitting, key=lambda one: (len(one.permissions), "*" in "".join(one.permissions), one.name))
    graph = "https://graph.microsoft.com/v1.0"
    body = f'{{"@odata.id": "{graph}/directoryObjects/{person.id}"}}'
    return f"az rest --method post --url '{graph}/directoryRoles/roleTemplateId={role.id}/members/$ref' --body '{body}'"
