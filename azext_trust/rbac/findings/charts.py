"""What a report's pictures are drawn from: small tables, however large the tenant is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from azext_trust.rbac import bits, capabilities, operations
from azext_trust.rbac.findings import history
from azext_trust.rbac.findings.trust_data import moment
from azext_trust.rbac.findings.view import View
from azext_trust.rbac.model import RoleAssignment, RoleDefinition
from azext_trust.rbac.questions import wording
from azext_trust.rbac.questions.asked import WORDS
from azext_trust.rbac.questions.facts import Registry
from azext_trust.rbac.questions.trust import Repository, keys_of

Row = dict[str, object]
MOST_SCOPES = 30
"""How many scopes the matrix names; the rest of each kind is counted together."""
MOST_DATES = 1_500
"""How many expiry dates are shown one by one; the nearest are kept."""
MOST_REGISTRIES = 20
"""How many registries the graph can show."""
MOST_NODES = 25
"""How many nodes of a kind it shows of one registry."""


def of(view: View) -> dict[str, object]:
    """Return the tables: ``matrix``, ``signers``, ``expiry``, ``nodes``, ``edges``, and ``registries`` of the graph."""
    shown = _shown(view)
    nodes, edges = [], []
    for registry in shown:
        graph = _Graph(view, registry)
        nodes += graph.nodes
        edges += graph.edges
    return {
        "matrix": list(_matrix(view)), "signers": history.signers(view), "expiry": list(_expiry(view)),
        "registries": [one.name for one in shown], "nodes": nodes, "edges": edges,
        "now": view.tenant.now.isoformat(), "examined": len(view.registries),
        "capabilities": list(_capabilities(view)),
    }  # fmt: skip


def _capabilities(view: View) -> Iterator[Row]:
    """Yield how many principals have each capability at any of the registries."""
    for word in WORDS:
        mask = 0
        for registry in view.registries:
            found = view.holders(registry, word)
            if found is not None:
                mask |= found.people() | found.people(depends=True)
        yield {"capability": word, "count": mask.bit_count()}


# Role and scope


def _matrix(view: View) -> Iterator[Row]:
    """Yield how many principals a role reaches at a scope; scopes beyond the most used ones are taken together."""
    reached: dict[tuple[str, str], int] = defaultdict(int)
    for assignment, role in _relevant(view):
        number = view.index.numbers.of(assignment.principal_id)
        key = view.index.tree.chain(assignment.scope)[0]
        reached[role.name, key] |= view.index.groups.expanded(number) & view.index.people()
    weights: Counter[str] = Counter()
    for (_, key), mask in reached.items():
        weights[key] += mask.bit_count()
    named = {key for key, _ in weights.most_common(MOST_SCOPES)}
    rows: Counter[tuple[str, str, str]] = Counter()
    for (role_name, key), mask in reached.items():
        level = wording.level(key)
        rows[role_name, wording.short(key) if key in named else f"other: {level}", level] += mask.bit_count()
    for (role_name, scope, level), count in sorted(rows.items()):
        yield {"role": role_name, "scope": scope, "level": level, "count": count}


def _relevant(view: View) -> Iterator[tuple[RoleAssignment, RoleDefinition]]:
    chain = view.index.tree.chain
    useful: dict[str, bool] = {}
    for assignment in view.index.assignments():
        role = view.index.role(assignment.role_id)
        if role is None or chain(assignment.scope)[0] not in view.chain_keys:
            continue
        if role.id not in useful:
            useful[role.id] = _concerns_registries(view, role)
        if useful[role.id] and view.tenant.sight.shows(assignment.scope):
            yield assignment, role


def _concerns_registries(view: View, role: RoleDefinition) -> bool:
    actions = {
        action for word in WORDS for mode in (capabilities.LEGACY, capabilities.ABAC)
        for group in capabilities.needs(word, mode) or () for action in group
    }  # fmt: skip
    find = view.index.roles.find
    return any(find(role.id, action, operations.is_data_action(action)).pattern is not None for action in actions)


# Expiry


def _expiry(view: View) -> Iterator[Row]:
    """Yield when metadata end that no server renews, and when the certificates of their keys do (``key``)."""
    rows: list[Row] = []
    for registry in view.registries:
        for repository in view.tenant.trust(registry):
            for one in repository.metadata:
                if one.server:
                    continue
                ends = [("", one.expires), *((key.id, key.expires) for key in one.keys)]
                rows += [
                    {"date": end[:10], "end": end, "registry": registry.name, "repository": repository.name,
                     "role": one.role, "key": key}
                    for key, end in ends if moment(end) is not None
                ]  # fmt: skip
    rows.sort(key=lambda row: (str(row["date"]), str(row["registry"]), str(row["repository"])))
    yield from rows[:MOST_DATES]


# Who signs, drawn as a graph


def _shown(view: View) -> list[Registry]:
    """Return the registries the graph can show: those with delegations, with trust data, with most signers first."""
    counted = []
    for registry in view.registries:
        found = view.holders(registry, "sign")
        count = (found.people() | found.people(depends=True)).bit_count() if found is not None else 0
        if count:
            repositories = view.tenant.trust(registry)
            told = sum(bool(one.metadata) + 2 * bool(one.delegations) for one in repositories)
            counted.append((-min(told, 3), -count, registry.name, registry))
    return [row[3] for row in sorted(counted, key=lambda row: row[:3])[:MOST_REGISTRIES]]


LAYERS = ("principal", "group", "assignment", "registry", "repository", "key")
"""The columns of the graph."""


class _Node(NamedTuple):
    layer: int
    id: str
    label: str


class _Graph:
    """Principal, group, assignment, registry, repository, key: all that makes a signer of one registry."""

    def __init__(self, view: View, registry: Registry) -> None:
        self._view = view
        self._registry = registry
        self._found: dict[tuple[int, str], _Node] = {}
        self._edges: dict[tuple[_Node, _Node], None] = {}
        self._draw()
        kept = self._cut()
        self.nodes: list[Row] = [
            {"registry": registry.name, "layer": node.layer, "kind": LAYERS[node.layer], "id": node.id,
             "label": node.label, "order": order}
            for node, order in kept.items()
        ]  # fmt: skip
        self.edges: list[Row] = [
            {"registry": registry.name, "source": f"{a.layer} {a.id}", "target": f"{b.layer} {b.id}"}
            for a, b in self._edges if a in kept and b in kept
        ]  # fmt: skip

    def _node(self, layer: int, name: str, label: str) -> _Node:
        return self._found.setdefault((layer, name), _Node(layer, name, label))

    def _edge(self, a: _Node, b: _Node) -> None:
        self._edges[a, b] = None

    def _draw(self) -> None:
        view, registry = self._view, self._registry
        found = view.holders(registry, "sign")
        assert found is not None  # `_shown` has looked
        mask = found.people() | found.people(depends=True)
        here = self._node(3, registry.key, registry.name)
        repositories = [one for one in view.tenant.trust(registry) if one.metadata]
        for repository in repositories[: MOST_NODES + 1]:
            self._edge(here, self._node(4, repository.gun, repository.name))
        for number in list(bits.numbers(mask))[: MOST_NODES * 4]:
            self._principal(view.index.numbers.name(number), here, repositories)

    def _principal(self, who: str, here: _Node, repositories: list[Repository]) -> None:
        view = self._view
        found = view.holders(self._registry, "sign")
        assert found is not None  # `_draw` has looked
        person = self._node(0, who, view.label(who))
        ways = found.question.ways(who, self._registry.id)
        for grant in dict.fromkeys(way.grant for way in ways if way.action == ways[-1].action):
            last = person
            for group in grant.group_chain:
                node = self._node(1, group, view.label(group))
                self._edge(last, node)
                last = node
            if grant.assignment is not None and grant.role is not None:
                label = f"{grant.role.name} @ {wording.short(grant.assignment.scope)}"
                node = self._node(2, grant.assignment.id, label)
                self._edge(last, node)
                self._edge(node, here)
        for repository in repositories[:MOST_NODES]:
            for key in keys_of(view.people([who])[0], [repository])[0]:
                node = self._node(5, key, f"{key[:8]} {view.label(who)}")
                self._edge(self._node(4, repository.gun, repository.name), node)

    def _cut(self) -> dict[_Node, int]:
        """Return the nodes that are shown with their places, those with the most edges first."""
        degree: Counter[_Node] = Counter()
        for a, b in self._edges:
            degree[a] += 1
            degree[b] += 1
        kept: dict[_Node, int] = {}
        for layer in range(len(LAYERS)):
            nodes = sorted((one for one in self._found.values() if one.layer == layer),
                           key=lambda one: (-degree[one], one.label))  # fmt: skip
            shown = sorted(nodes[:MOST_NODES], key=lambda one: one.label)
            kept |= {node: order for order, node in enumerate(shown)}
        return kept
