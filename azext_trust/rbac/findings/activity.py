"""Findings in the activity log: stale tokens, clients that ignore content trust, who holds too much."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from azext_trust.rbac.findings.kinds import finding
from azext_trust.rbac.findings.trust_data import moment
from azext_trust.rbac.findings.view import View
from azext_trust.rbac.model import RoleAssignment
from azext_trust.rbac.questions import fixes, happened, wording
from azext_trust.rbac.questions.facts import REGISTRIES, Event, Registry
from azext_trust.rbac.questions.refusals import STALE
from azext_trust.rbac.questions.rows import FindingRow
from azext_trust.rbac.questions.trust import RELEASES, ROOT, TARGETS
from azext_trust.rbac.questions.wording import quoted
from azext_trust.rbac.who_can import Holders

ACCESS_TOKEN = timedelta(seconds=4500)
"""How long an access token of a registry is good (acr-content-trust-facts.md section 8)."""
PUSH = f"{REGISTRIES}/push/write"
REVOKED = "Microsoft.Authorization/roleAssignments/delete"
_DOCKER = re.compile(r"\bdocker/(\d+)\.", re.IGNORECASE)
_IGNORING = re.compile(r"\b(buildkit|containerd|podman|buildah|skopeo|oras|nerdctl|crane)\b", re.IGNORECASE)
_FIRST_WITHOUT = 29
"""From docker 29 on content trust is no longer in the docker command (acr-content-trust-facts.md section 2)."""


def of_activity(view: View) -> Iterator[FindingRow]:
    """Yield what the log shows."""
    hosts = happened.by_host(view.tenant.state)
    yield from _stale(view, hosts)
    yield from _clients(view)
    yield from _root_and_policy(view)


def _stale(view: View, hosts: Mapping[str, Registry]) -> Iterator[FindingRow]:
    """Yield tokens that were refused for their age, and those that may still carry a right that was taken away."""
    seen: set[tuple[str, str]] = set()
    for event in view.events:
        registry = _registry(view, event, hosts)
        if event.details.get("reason") == STALE and registry and (event.caller_id, registry.key) not in seen:
            seen.add((event.caller_id, registry.key))
            yield finding(
                "stale-token", event.caller_name or event.caller_id,
                f"refused at {event.time[:19]}: the token is older than a change of roles that allows it",
                f"az acr login --name {registry.name}", registry=registry,
            )  # fmt: skip
        elif event.operation == REVOKED and event.outcome == "Allowed":
            yield from _still_carried(view, event)


def _registry(view: View, event: Event, hosts: Mapping[str, Registry]) -> Registry | None:
    found = hosts.get(event.scope.strip("/").split("/", 1)[0].lower())
    key = event.scope.lower().rstrip("/")
    return found or (view.tenant.state.registries.get(key) if event.scope.startswith("/") else None)


def _still_carried(view: View, event: Event) -> Iterator[FindingRow]:
    at, before = moment(event.time), event.details.get("before")
    if at is None or not isinstance(before, Mapping) or at + ACCESS_TOKEN < view.tenant.now:
        return
    scope, who = str(before.get("scope") or "/"), str(before.get("principalId", "")).lower()
    for registry in view.below(scope):
        until = (at + ACCESS_TOKEN).isoformat()[:19]
        yield finding(
            "stale-token", view.label(who),
            f"a role was taken away at {event.time[:19]}: access tokens cut before carry it until {until}",
            f"az acr login --name {registry.name}", registry=registry,
        )  # fmt: skip
        return


def _clients(view: View) -> Iterator[FindingRow]:
    """Yield clients that pushed to a registry with content trust and cannot sign, of tags that are not signed."""
    seen: set[tuple[str, str]] = set()
    for event in view.events:
        client = ignoring(str(event.details.get("userAgent") or ""))
        registry = view.tenant.state.registries.get(event.scope.lower().rstrip("/"))
        if (
            event.operation != PUSH
            or event.outcome != "Allowed"
            or not client
            or registry is None
            or not registry.trust
        ):
            continue
        after = event.details.get("after")
        pushed = after if isinstance(after, Mapping) else {}
        name, tag = str(pushed.get("repository", "")), str(pushed.get("reference", ""))
        if registry.key not in view.keys or (registry.key, client) in seen or _is_signed(view, registry, name, pushed):
            continue
        seen.add((registry.key, client))
        image = f"{registry.login_server}/{name}:{tag}"
        yield finding(
            "client-without-trust", client,
            f"pushed {name}:{tag} at {event.time[:19]} by {event.caller_name or event.caller_id} without a signature, "
            "and without a word about it", f"docker trust sign {quoted(image)}", registry=registry,
        )  # fmt: skip


def ignoring(agent: str) -> str:
    """Return the client of a User-Agent when it knows nothing of content trust, else an empty text."""
    docker = _DOCKER.search(agent)
    if docker:
        return f"docker {docker[1]}" if int(docker[1]) >= _FIRST_WITHOUT else ""
    other = _IGNORING.search(agent)
    return other[1].lower() if other else ""


def _is_signed(view: View, registry: Registry, name: str, pushed: Mapping[str, object]) -> bool:
    digest = str(pushed.get("digest", "")).removeprefix("sha256:")
    for repository in view.tenant.trust(registry):
        if repository.name == name:
            return any(row.digest == digest and row.role in (TARGETS, RELEASES) for row in repository.signed)
    return False


def _root_and_policy(view: View) -> Iterator[FindingRow]:
    """Yield who published a root, hence holds its key, and may also disable content trust."""
    for registry in view.registries:
        holders: dict[str, list[str]] = {}
        for repository in view.tenant.trust(registry):
            for who in (repository.publishers or {}).get(ROOT, ()):
                holders.setdefault(who, []).append(repository.name)
        policy = view.holders(registry, "manage-policy") if holders else None
        for who, names in sorted(holders.items()):
            holder = policy.holder(who) if policy is not None else None
            if holder is not None and policy is not None:
                yield _both(view, registry, who, names, policy)


def _both(view: View, registry: Registry, who: str, names: list[str], policy: Holders) -> FindingRow:
    grants = [way.grant for way in policy.question.ways(who, registry.id) if way.grant.assignment is not None]
    own: list[RoleAssignment] = [grant.assignment for grant in grants if grant.assignment is not None]
    cure = " && ".join(fixes.revoke_command(wording.assignment_id(one) or one.id) for one in own)
    roles = ", ".join(dict.fromkeys(grant.role.name for grant in grants if grant.role))
    return finding(
        "root-and-policy", view.label(who),
        f"published the root of {', '.join(sorted(names)[:3])} and may disable content trust by {roles or 'its flag'}: "
        "nobody else is needed to replace all signatures",
        cure or f"az role assignment list --assignee {who} --all", registry=registry,
    )  # fmt: skip
