"""Add role assignment, in the familiar steps: role, members, conditions, review (M7).

What was chosen so far travels in the page's address: nothing is kept here between the steps, going back works, and
nothing changes before the last button.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from azext_trust.audit.permitted import CAPABILITIES
from azext_trust.cloud.errors import HttpError
from azext_trust.names.guids import is_guid, new_guid
from azext_trust.portal import grants, people, what_if
from azext_trust.portal.access_pages import mode_of, permitted
from azext_trust.portal.overview_page import resource
from azext_trust.portal.people import IDENTITIES, PRINCIPALS, Person
from azext_trust.portal.roles_pages import matching
from azext_trust.portal.visit import Values, Visit, path

STEPS = ("role", "members", "conditions", "review")
MOST = 100
"""Members added at once."""


@dataclass(frozen=True)
class Draft:
    """What has been chosen so far.

    Attributes:
        role: the role's GUID, or empty.
        offered: what kind of members the step offers.
        members: object ids.
        description: why, in the visitor's words.
        condition: an ABAC condition, or empty.
    """

    role: str
    offered: str
    members: tuple[str, ...]
    description: str
    condition: str

    @classmethod
    def of(cls, values: Values) -> Draft:
        """Return the draft that a request carries; what is no id is left out."""

        def last(name: str) -> str:
            return (values.get(name) or [""])[-1].strip()

        dropped = set(values.get("drop", ()))
        members = [text.lower() for text in values.get("member", ()) if is_guid(text) and text not in dropped]
        role = last("role").lower()
        return cls(
            role if is_guid(role) else "", IDENTITIES if last("offered") == IDENTITIES else PRINCIPALS,
            tuple(dict.fromkeys(members))[:MOST], last("description"), last("condition"),
        )  # fmt: skip


@dataclass(frozen=True)
class Gain:
    """What an assignment changes for one member.

    Attributes:
        person: the member.
        changes: capability -> ``held`` before, ``gained`` now, by ``condition`` only, ``lacking`` still, or ``unknown``.
        missing: what a trusted push would still lack, when the role is about signing and is not enough (M8).
        exists: whether the member has this very role here already.
        through: how many people and service principals gain it by being in the group; None for who is none.
    """

    person: Person
    changes: dict[str, str]
    missing: tuple[str, ...]
    exists: bool
    through: int | None


def step(visit: Visit) -> Response:
    """Show a step."""
    draft = Draft.of(visit.asked.query)
    # Opening the panel and dropping a member are buttons of the step Members, which name no step.
    about_members = visit.query("panel") or visit.query("drop")
    name = "members" if about_members else visit.query("step")
    name = name if name in STEPS else "role"
    if name == "review" and not (draft.role and draft.members):
        name = "members" if draft.role else "role"
    return _step(visit, draft, name)


def _step(visit: Visit, draft: Draft, name: str, problem: str = "", status: int = 200) -> Response:
    known = grants.roles(visit)
    members = _members(visit, draft.members)
    extra = {"role": _role_step, "members": _members_step, "conditions": _no_more, "review": _review_step}[name]
    given: dict[str, Any] = {
        "draft": draft, "step": name, "steps": STEPS, "role": known.get(draft.role), "members": members,
        "problem": problem, "lacks": visit.lacks(grants.WRITE), "before": STEPS[max(STEPS.index(name) - 1, 0)],
        "after": STEPS[min(STEPS.index(name) + 1, len(STEPS) - 1)],
    }  # fmt: skip
    given |= extra(visit, draft, known, members)
    return resource(visit, f"add_{name}", "iam", status, **(given | {"page_title": "add.title"}))


def _members(visit: Visit, ids: Iterable[str]) -> list[Person]:
    found = people.named(visit, ids)
    return [found.get(one) or Person(one, "", one) for one in ids]


def _role_step(visit: Visit, draft: Draft, known: dict[str, grants.Role], members: list[Person]) -> dict[str, Any]:
    text, kind = visit.query("q").strip(), visit.query("type")
    return {"q": text, "roles": matching(known, text, kind)}


def _members_step(visit: Visit, draft: Draft, known: dict[str, grants.Role], members: list[Person]) -> dict[str, Any]:
    panel = visit.query("panel") == "1"
    found, why = people.search_or_why(visit, visit.query("q").strip(), draft.offered) if panel else ([], "")
    return {"panel": panel, "q": visit.query("q").strip(), "found": found, "why": why}


def _no_more(visit: Visit, draft: Draft, known: dict[str, grants.Role], members: list[Person]) -> dict[str, Any]:
    return {}


def _review_step(visit: Visit, draft: Draft, known: dict[str, grants.Role], members: list[Person]) -> dict[str, Any]:
    role, mode = known.get(draft.role), mode_of(visit)
    if role is None:
        return {"gains": [], "capabilities": CAPABILITIES, "outlook": None, "who_gains": []}
    gains = [gain(visit, one, role, known, mode) for one in members]
    outlook = what_if.assigned(visit, role.id, [one.person for one in gains if not one.exists], draft.condition)
    if not outlook.problem:
        gains = [weighed(one, outlook) for one in gains]
    return {
        "gains": gains, "capabilities": CAPABILITIES, "outlook": outlook, "who_gains": outlook.gains(),
        "shown": what_if.SHOWN,
    }  # fmt: skip


def weighed(gain: Gain, outlook: what_if.Outlook) -> Gain:
    """Return a gain with what the audit knows better; of a group it tells what the members gain, one by one."""
    if gain.person.type not in ("User", "ServicePrincipal"):
        return gain
    changes = outlook.changes(gain.person)
    signs = changes["sign"] in (what_if.HELD, what_if.GAINED)
    return replace(gain, changes=changes, missing=() if signs else gain.missing)


def gain(visit: Visit, person: Person, role: grants.Role, known: dict[str, grants.Role], mode: str) -> Gain:
    """Return what somebody could do here after the assignment that they could not before.

    Conditions and deny assignments are not weighed: `weighed` does that, for people.

    Args:
        visit: the request.
        person: the member.
        role: what they are to get.
        known: all roles by GUID.
        mode: the registry's role assignment mode.
    """
    rows = grants.grants(visit, grants.held_by(visit, person), known)
    before = permitted(rows, known)
    given = grants.Grant("", visit.at.id, role.guid, role.name, person.id, person.type, person, "", True)
    after = permitted([*rows, given], known)
    changes = {
        name: "held" if before.missing(name, mode) == () else "gained" if after.missing(name, mode) == () else "lacking"
        for name in CAPABILITIES
    }
    signing = any(after.allows(action) != before.allows(action) for action in _SIGN)
    missing = after.missing("sign", mode) or ()
    exists = any(row.here and row.role == role.guid and row.principal == person.id for row in rows)
    return Gain(person, changes, missing if signing else (), exists, _through(visit, person))


def _through(visit: Visit, person: Person) -> int | None:
    if person.type != "Group":
        return None
    try:
        rows = visit.graph.listed(f"/groups/{person.id}/transitiveMembers")
    except HttpError:
        return None
    return sum(str(row.get("@odata.type")) != "#microsoft.graph.group" for row in rows)


_SIGN = (
    "Microsoft.ContainerRegistry/registries/sign/write",
    "Microsoft.ContainerRegistry/registries/trustedCollections/write",
)


def candidates(visit: Visit) -> Response:
    """Return the hits of the member search alone, for htmx."""
    draft = Draft.of(visit.asked.query)
    found, why = people.search_or_why(visit, visit.query("q").strip(), draft.offered)
    return visit.page("add_candidates", draft=draft, members=_members(visit, draft.members), found=found, why=why)


def assign(visit: Visit) -> Response:
    """Make the assignments, one for each member; what was refused is told, what was made stays."""
    draft = Draft.of(visit.asked.form)
    role = grants.roles(visit).get(draft.role)
    if role is None or not draft.members:
        return _step(visit, draft, "members" if role else "role", visit.words("add.incomplete"), 400)
    members = _members(visit, draft.members)
    failures = [failure for one in members if (failure := _assign_one(visit, draft, role, one))]
    if failures:
        text = "\n".join(f"{one}: {error.message}" for one, error in failures)
        return _step(visit, draft, "review", text, failures[0][1].status)
    names = ", ".join(one.name for one in members)
    where = f"{visit.at.url}/iam/assignments"
    return visit.go(where, "toast.assigned", names=names, role=role.name, place=visit.at.name)


def _assign_one(visit: Visit, draft: Draft, role: grants.Role, member: Person) -> tuple[str, HttpError] | None:
    properties: dict[str, str] = {"roleDefinitionId": role.id, "principalId": member.id}
    if member.type:
        properties["principalType"] = member.type
    if draft.description:
        properties["description"] = draft.description
    if draft.condition:
        properties |= {"condition": draft.condition, "conditionVersion": "2.0"}
    where = f"{path(visit.at.id)}{grants.AUTHORIZATION}/roleAssignments/{new_guid()}"
    try:
        visit.arm.call("PUT", where, "roleAssignments", {"properties": properties})
    except HttpError as error:
        return None if error.code == "RoleAssignmentExists" else (member.name, error)
    return None
