"""What is measured, part by part; each part runs in a process of its own, so that its memory is its own."""

from __future__ import annotations

import gc
import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from azext_trust.rbac import capabilities, decide, operations
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import Query, RoleAssignment
from azext_trust.rbac.who_can import WhoCan
from benchmarks.rbac.tenants import LARGE, SIGN, SMALL, Size, Tenant, fill, questions

SIGNING = capabilities.needs("sign") or ()
SIGNER = "6cef56e8-d556-48e5-a04f-b8e64114680f"


@dataclass(frozen=True)
class Row:
    """One figure, with the limit it must keep: at most, or at least where `least` is set."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    least: bool = False

    def good(self) -> bool:
        """Tell whether the limit is kept."""
        return self.limit is None or (self.value >= self.limit if self.least else self.value <= self.limit)


def settled(make: Callable[[], Index]) -> tuple[Index, float]:
    """Return an index, as a process keeps it that serves for long, and the seconds of processor time it took."""
    gc.collect()
    gc.disable()
    started = time.process_time()
    index = make()
    took = time.process_time() - started
    gc.freeze()
    gc.enable()
    return index, took


def decisions(index: Index, asked: list[tuple[str, str, str]]) -> list[float]:
    """Return the seconds of each decision with its reasons, sorted; best of three rounds for each."""
    best = [9.0] * len(asked)
    for _ in range(3):
        for at, (who, action, scope) in enumerate(asked):
            started = time.perf_counter()
            decide.decide(index, who, Query(action, operations.is_data_action(action), scope))
            best[at] = min(best[at], time.perf_counter() - started)
    return sorted(best)


def signers(index: Index, registries: Iterable[str]) -> list[float]:
    """Return the seconds of who can sign, with the names, for each registry; best of five."""
    found = []
    for registry in registries:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            WhoCan(index, SIGNING).at(registry).ids()
            times.append(time.perf_counter() - started)
        found.append(min(times))
    return sorted(found)


def everywhere(index: Index, tenant: Tenant) -> float:
    """Return the seconds of who can sign, with the names, at all registries."""
    started = time.perf_counter()
    question = WhoCan(index, SIGNING)
    for registry in sorted(tenant.registries):
        question.at(registry).ids()
    return time.perf_counter() - started


def changes(index: Index, tenant: Tenant) -> float:
    """Return the most seconds from a change to the decision that rests on it: assignment, membership, role."""
    rng, worst = random.Random(3), 0.0
    for _ in range(50):
        who, where = rng.choice(tenant.people), rng.choice(tenant.registries)
        started = time.perf_counter()
        index.put_assignment(RoleAssignment("new", where, SIGNER, who))
        # Denied perhaps, but granted: the change is in the reasons.
        assert decide.decide(index, who, Query(SIGN, False, where)).grants
        worst = max(worst, time.perf_counter() - started)
        index.remove_assignment("new")
        index.put_assignment(RoleAssignment("new", where, SIGNER, tenant.groups[0]))
        started = time.perf_counter()
        index.put_member(tenant.groups[0], who)
        assert decide.decide(index, who, Query(SIGN, False, where)).grants
        worst = max(worst, time.perf_counter() - started)
        index.remove_member(tenant.groups[0], who)
        index.remove_assignment("new")
    return worst


def part_peers() -> Iterator[Row]:
    """Cedar and Casbin on the tenant of 4,000 assignments, in turn with the index; all must agree."""
    from benchmarks.rbac import peers

    tenant = Tenant(SMALL)
    rows = peers.plain(tenant)
    index, _ = settled(lambda: fill(tenant, Index(), rows))
    asked = [one for one in questions(tenant, 2000) if "repositories" not in one[1]]
    for who, action, scope in asked:
        decide.allows(index, who, Query(action, operations.is_data_action(action), scope))
    for name, peer, count, limit in (
        ("cedarpy, batch", peers.Cedar(tenant, index, rows), 1000, 10),
        ("pycasbin", peers.Casbin(tenant, index, rows), 25, 30),
    ):
        ratios, theirs = [], 0.0
        for at in range(0, 3):
            some = asked[at * count : (at + 1) * count] or asked[:count]
            started = time.perf_counter()
            right = peer.ask(some)
            theirs = (time.perf_counter() - started) / len(some)
            started = time.perf_counter()
            found = [decide.allows(index, w, Query(a, operations.is_data_action(a), s)) for w, a, s in some]
            ratios.append(theirs / ((time.perf_counter() - started) / len(some)))
            assert found == right
        yield Row(f"(a) {name}: one decision", theirs * 1e6, "µs")
        yield Row(f"(a) {name}: times slower than aztrust", statistics.median(ratios), "x", limit, least=True)


def part_small() -> Iterator[Row]:
    """The tenant of one subscription."""
    tenant = Tenant(SMALL)
    index, took = settled(tenant.index)
    yield Row("(a) load", took, "s")
    yield from _decisions("(a)", index, tenant)
    times = signers(index, random.Random(5).sample(tenant.registries, 100))
    yield Row("(a) who can sign, one registry, median", statistics.median(times) * 1e3, "ms", 2)
    yield Row("(a) who can sign, one registry, slowest of 100", times[-1] * 1e3, "ms")
    yield Row(f"(a) who can sign, all {len(tenant.registries)} registries", everywhere(index, tenant), "s", 1)


def part_large() -> Iterator[Row]:
    """The tenant of a million assignments."""
    tenant = Tenant(LARGE)
    index, took = settled(tenant.index)
    made = time.process_time()
    for _ in tenant.assignments():
        pass
    made = time.process_time() - made
    yield Row("(b) load, from rows in memory", took - made, "s", 20)
    yield from _decisions("(b)", index, tenant)
    times = signers(index, random.Random(5).sample(tenant.registries, 100))
    yield Row("(b) who can sign, one registry, median", statistics.median(times) * 1e3, "ms", 50)
    yield Row("(b) who can sign, one registry, slowest of 100", times[-1] * 1e3, "ms", 50)
    yield Row("(b) change to decision, slowest of 100", changes(index, tenant) * 1e3, "ms", 10)
    yield Row("(b) what-if: overlay, change, who can sign", _what_if(index, tenant) * 1e3, "ms")
    yield Row("(b) memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB", 2048)


def _decisions(name: str, index: Index, tenant: Tenant) -> Iterator[Row]:
    times = decisions(index, questions(tenant, 20_000))
    yield Row(f"{name} decision with reasons, p50", times[len(times) // 2] * 1e6, "µs", 20)
    yield Row(f"{name} decision with reasons, p99", times[len(times) * 99 // 100] * 1e6, "µs", 200)


def _what_if(index: Index, tenant: Tenant) -> float:
    started = time.perf_counter()
    overlay = index.overlay()
    overlay.put_assignment(RoleAssignment("new", tenant.registries[0], SIGNER, tenant.groups[0]))
    WhoCan(overlay, SIGNING).at(tenant.registries[0]).ids()
    return time.perf_counter() - started


def part_export() -> Iterator[Row]:
    """An export of a million assignments, one JSON object a line, in az's members."""
    tenant = Tenant(LARGE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "assignments.jsonl"
        with path.open("w") as file:
            for row in tenant.assignments():
                file.write(json.dumps(_exported(row)) + "\n")
        _, took = settled(lambda: fill(tenant, Index(), _imported(path)))
        yield Row(f"(b) load, from an export of {path.stat().st_size >> 20} MiB", took, "s", 20)
    yield Row("(b) memory after it", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB", 2048)


def _exported(row: RoleAssignment) -> dict[str, Any]:
    return {
        "condition": row.condition, "conditionVersion": row.condition_version, "createdBy": row.principal_id,
        "createdOn": "2024-05-05T10:11:12.123456+00:00", "delegatedManagedIdentityResourceId": None, "description": None,
        "id": f"{row.scope}/providers/Microsoft.Authorization/roleAssignments/{row.id}", "name": row.id,
        "principalId": row.principal_id, "principalName": "somebody@contoso.com", "principalType": "User",
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{row.role_id}",
        "roleDefinitionName": "AcrPull", "scope": row.scope, "type": "Microsoft.Authorization/roleAssignments",
        "updatedBy": row.principal_id, "updatedOn": "2024-05-05T10:11:12.123456+00:00",
    }  # fmt: skip


def _imported(path: Path) -> Iterator[RoleAssignment]:
    texts: dict[str, str] = {}
    with path.open() as file:
        for line in file:
            row = json.loads(line)
            scope, who = (
                texts.setdefault(row["scope"], row["scope"]),
                texts.setdefault(row["principalId"], row["principalId"]),
            )
            role = row["roleDefinitionId"][-36:]
            role = texts.setdefault(role, role)
            yield RoleAssignment(row["name"], scope, role, who, row["condition"], row["conditionVersion"])


def part_store_small() -> Iterator[Row]:
    """The tenant of one subscription in SQLite."""
    return _store("(a)", SMALL)


def part_store_large() -> Iterator[Row]:
    """The tenant of a million assignments in SQLite."""
    return _store("(b)", LARGE)


def _store(name: str, size: Size) -> Iterator[Row]:
    from azext_trust.server.store.transaction import Store
    from benchmarks.rbac import stores

    tenant = Tenant(size)
    with tempfile.TemporaryDirectory() as folder:
        one = stores.fill(tenant, Path(folder) / "cloud")
        asked = questions(tenant, 200)
        stores.decision_time(one, asked)
        yield Row(f"{name} store, cold: a transaction with one decision", stores.decision_time(one, asked) * 1e3, "ms")
        other = Store(Path(folder) / "cloud")
        yield Row(f"{name} store, load of the warm index", stores.warm_up(other), "s", 20)
        stores.decision_time(other, asked)
        yield Row(
            f"{name} store, warm: a transaction with one decision", stores.decision_time(other, asked) * 1e3, "ms"
        )
        times = [stores.change_time(one, other, stores.signer(tenant, n)) for n in range(20)]
        change = f"{name} store, change of one process to decision of another"
        yield Row(f"{change}, median", statistics.median(times) * 1e3, "ms", 10)
        yield Row(f"{change}, slowest of 20", max(times) * 1e3, "ms")
        one.close()
        other.close()


def growth(assignments: int) -> dict[str, float]:
    """Return the costs of a tenant of this many assignments, for the plot."""
    tenant = Tenant(Size.of(assignments))
    index, took = settled(tenant.index)
    times = decisions(index, questions(tenant, 5_000))
    sample = random.Random(5).sample(tenant.registries, min(20, len(tenant.registries)))
    return {
        "assignments": assignments, "load": took, "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100],
        "who can": statistics.median(signers(index, sample)), "change": changes(index, tenant),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }  # fmt: skip


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "peers": part_peers, "small": part_small, "store-small": part_store_small, "large": part_large,
    "export": part_export, "store-large": part_store_large,
}  # fmt: skip


def run(part: str) -> str:
    """Run a part; return its rows as JSON."""
    if part.startswith("growth:"):
        return json.dumps(growth(int(part.partition(":")[2])))
    return json.dumps([asdict(row) for row in PARTS[part]()])
