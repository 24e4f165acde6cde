"""The change feed and the warm index on every database: whatever moves, by whichever way, the next decision knows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, delete, update

from azext_trust.rbac import decide
from azext_trust.rbac.index import Index
from azext_trust.rbac.model import Query
from azext_trust.rbac.roles import built_in_by_name
from azext_trust.server.gate import warm
from azext_trust.server.gate.authorise import Authoriser
from azext_trust.server.gate.call import Caller
from azext_trust.server.store import authorization, changes, migrate, principals, resources
from azext_trust.server.store.transaction import Store
from tests.contract.conftest import Place

PULL = "Microsoft.ContainerRegistry/registries/pull/read"
SUBSCRIPTION = "/subscriptions/s1"
REGISTRY = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/one"
ANN = Caller("ann", "User", "ann@contoso.com")
NOW = "2026-01-01T00:00:00.0000000Z"


@pytest.fixture
def stores(place: Place) -> Iterator[tuple[Store, Store]]:
    """Give one state opened twice, as by two processes; the second has its index warm."""
    one, other = place.open(), place.open()
    with one.write() as transaction:
        transaction.session.add_all(
            [resources.ManagementGroup(key="mg", id="mg", display_name="mg"),
             resources.Subscription(id="s1", name="Lab", management_group="mg"), person("ann"), group("team")]
        )  # fmt: skip
    warm.keep(other).load()
    yield one, other
    one.close()
    other.close()


def person(name: str) -> principals.DirectoryObject:
    """Return a user's row."""
    return principals.DirectoryObject(id=name, kind="User", display_name=name, display_key=name, created=NOW)


def group(name: str) -> principals.DirectoryObject:
    """Return a group's row."""
    return principals.DirectoryObject(id=name, kind="Group", display_name=name, display_key=name, created=NOW)


def assigned(role: str, scope: str = REGISTRY, who: str = "ann") -> authorization.Assignment:
    """Return an assignment's row; its id is told by what it says."""
    known = built_in_by_name(role)
    return authorization.Assignment(
        id=f"{who}-{role}-{scope}", scope=scope, scope_key=scope.lower(), role_id=known.id if known else role,
        principal_id=who, principal_type="User", created_on=NOW, updated_on=NOW,
    )  # fmt: skip


def denial() -> authorization.Deny:
    """Return a deny assignment's row."""
    return authorization.Deny(id="deny", name="no", scope=SUBSCRIPTION, scope_key=SUBSCRIPTION,
                              permissions=[{"actions": ["*"]}], principals=[{"id": "ann"}])  # fmt: skip


def custom(*actions: str) -> authorization.CustomRole:
    """Return a custom role's row."""
    return authorization.CustomRole(id="custom", name="c", name_key="c", permissions=[{"actions": list(actions)}],
                                    assignable_scopes=[SUBSCRIPTION], created_on=NOW, updated_on=NOW)  # fmt: skip


def add(*rows: object) -> Callable[[Session], None]:
    """Return a change that adds rows, one statement after the other."""

    def change(session: Session) -> None:
        for row in rows:
            session.add(row)
            session.flush()

    return change


def run(statement: object) -> Callable[[Session], None]:
    """Return a change made by one bulk statement, past the unit of work."""
    return lambda session: session.exec(statement)  # type: ignore[call-overload]  # any statement


def put(store: Store, change: Callable[[Session], None]) -> None:
    """Make a change in a transaction of its own."""
    with store.write() as transaction:
        change(transaction.session)


def may(store: Store) -> bool:
    """Ask whether ann may pull."""
    with store.read() as transaction:
        return Authoriser(transaction, ANN).allows(PULL, REGISTRY)


def knows(store: Store) -> bool:
    """Ask the warm index alone, as of now."""
    with store.read() as transaction, warm.borrowed(transaction) as index:
        assert index is not None
        return decide.allows(index, "ann", Query(PULL, False, REGISTRY))


STEPS: list[list[tuple[Callable[[], Callable[[Session], None]], bool]]] = [
    [(lambda: add(assigned("AcrPull")), True), (lambda: run(delete(authorization.Assignment)), False)],
    [(lambda: add(assigned("AcrPull")), True), (lambda: add(denial()), False),
     (lambda: run(delete(authorization.Deny)), True)],
    [(lambda: add(assigned("AcrPull", who="team")), False),
     (lambda: add(principals.Membership(group_id="team", member_id="ann")), True),
     (lambda: run(delete(principals.Membership)), False)],
    [(lambda: add(assigned("AcrPull", who="team"), principals.Membership(group_id="team", member_id="ann")), True),
     (lambda: lambda session: principals.remove(session, "team"), False)],
    [(lambda: add(assigned("AcrPull"), group("x")), True), (lambda: lambda session: principals.remove(session, "ann"), False)],
    [(lambda: add(custom("x/y"), assigned("custom")), False),
     (lambda: run(update(authorization.CustomRole).values(permissions=[{"actions": ["*/read"]}])), True)],
    [(lambda: add(assigned("AcrPull", "/providers/Microsoft.Management/managementGroups/mg")), True),
     (lambda: run(update(resources.Subscription).values(management_group=None)), False)],
    [(lambda: add(resources.ManagementGroup(key="up", id="up", display_name="up"),
                  assigned("AcrPull", "/providers/Microsoft.Management/managementGroups/up")), False),
     (lambda: run(update(resources.ManagementGroup).where(col(resources.ManagementGroup.key) == "mg")
                  .values(parent_key="up")), True)],
    [(lambda: run(update(principals.DirectoryObject).values(classic_administrator=True)), True),
     (lambda: run(update(principals.DirectoryObject).values(classic_administrator=False)), False)],
    [(lambda: run(update(authorization.Assignment).values(condition="x")), False)],
]  # fmt: skip


@pytest.mark.parametrize("steps", STEPS)
def test_a_change_of_one_process_is_in_the_next_decision_of_the_other(
    stores: tuple[Store, Store], steps: list[tuple[Callable[[], Callable[[Session], None]], bool]]
) -> None:  # fmt: skip
    """M12, M32: rows added, changed, deleted in bulk, or swept away by a foreign key's cascade."""
    one, other = stores
    for change, right in steps:
        put(one, change())
        assert knows(other) is right


def test_cold_and_warm_decide_alike(stores: tuple[Store, Store]) -> None:
    """M12: the store is asked for one principal where no index is warm; the answers are the same."""
    one, other = stores
    put(one, add(assigned("AcrPull", "/providers/Microsoft.Management/managementGroups/mg", "team")))
    put(one, add(principals.Membership(group_id="team", member_id="ann")))
    assert (may(one), may(other)) == (True, True)
    put(one, add(denial()))
    assert (may(one), may(other)) == (False, False)


def test_a_transaction_sees_what_it_changed_itself_and_nobody_else_does(stores: tuple[Store, Store]) -> None:
    """M12: decisions after an own change rest on it; rolled back, it never was."""
    one, other = stores

    def change_and_fail() -> None:
        with other.write() as transaction:
            assert not Authoriser(transaction, ANN).allows(PULL, REGISTRY)
            add(assigned("AcrPull"))(transaction.session)
            assert Authoriser(transaction, ANN).allows(PULL, REGISTRY)
            assert not may(one)
            raise KeyError

    with pytest.raises(KeyError):
        change_and_fail()
    assert not knows(other)
    put(other, add(denial()))
    assert not knows(other)


def test_an_old_moment_is_decided_on_its_own_facts(stores: tuple[Store, Store]) -> None:
    """M12: a transaction that began before a change does not see it, whatever the index knows by now."""
    one, other = stores
    with other.read() as old:
        assert not Authoriser(old, ANN).allows(PULL, REGISTRY)
        put(one, add(assigned("AcrPull")))
        assert knows(other)
        assert not Authoriser(old, ANN).allows(PULL, REGISTRY)
    assert may(other)


def test_a_restored_state_is_read_anew(stores: tuple[Store, Store]) -> None:
    """M25: a feed that went another way is noticed, even at the same numbers."""
    one, other = stores
    put(one, add(assigned("AcrPull")))
    assert knows(other)
    with one.engine.begin() as connection:
        # What restoring a snapshot does: the assignment is gone and so are its traces in the feed.
        connection.execute(text("DELETE FROM role_assignment"))
        connection.execute(text("UPDATE authorization_change SET token = 'another history'"))
    assert not may(other)
    warm.keep(other).stop()


def test_who_is_too_far_behind_reads_anew(stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """M32: old changes are forgotten, the newest never; the index is read again."""
    monkeypatch.setattr(changes, "KEPT", 1)
    monkeypatch.setattr(changes, "_PRUNE_EVERY", 1)
    one, other = stores
    put(one, add(assigned("AcrPull")))
    put(one, add(denial()))
    put(one, run(delete(authorization.Deny)))
    assert may(other)
    warm.keep(other)._thread.join()  # type: ignore[union-attr]  # reading began with the decision
    assert knows(other)
    with one.read() as transaction:
        rows = transaction.session.connection().execute(text("SELECT count(*) FROM authorization_change"))
        assert rows.scalar() == 1


def test_reading_while_others_write(stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """M32: the index is that of one moment, though others write while it is read; the next decision follows."""
    from azext_trust.server.gate import tenant

    one, other = stores
    put(one, add(assigned("AcrPull", who="team")))
    real = tenant.load

    def load(session: Session, index: Index, stopped: Callable[[], bool]) -> None:
        put(one, add(principals.Membership(group_id="team", member_id="ann")))
        real(session, index, stopped)
        assert not decide.allows(index, "ann", Query(PULL, False, REGISTRY))

    monkeypatch.setattr(tenant, "load", load)
    warm.keep(other).load()
    assert knows(other)


def test_many_threads_ask_while_things_move(stores: tuple[Store, Store]) -> None:
    """M32: no decision is wrong, none waits for ever."""
    one, other = stores
    wrong: list[object] = []

    def ask() -> None:
        for _ in range(40):
            with other.read() as transaction:
                held = transaction.session.get(authorization.Assignment, assigned("AcrPull").id) is not None
                if Authoriser(transaction, ANN).allows(PULL, REGISTRY) is not held:
                    wrong.append(transaction)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        put(one, add(assigned("AcrPull")))
        put(one, run(delete(authorization.Assignment)))
    for thread in threads:
        thread.join()
    assert wrong == []


def test_whole_tenant_without_a_warm_index(stores: tuple[Store, Store]) -> None:
    """M22: an audit in a fresh process reads the tenant as of its own transaction."""
    one, _ = stores
    put(one, add(assigned("AcrPull")))
    with one.read() as transaction, warm.whole(transaction) as index:
        assert decide.allows(index, "ann", Query(PULL, False, REGISTRY))
        assert [role.kind for role in index.role_definitions()].count("BuiltInRole") > 20


def test_principal_scopes(stores: tuple[Store, Store]) -> None:
    """M12: what a caller can reach, cold and warm."""
    for store in stores:
        put(stores[0], run(delete(authorization.Assignment)))
        put(stores[0], add(assigned("AcrPull", SUBSCRIPTION)))
        with store.read() as transaction:
            assert Authoriser(transaction, ANN).principal_scopes() == [SUBSCRIPTION]


def test_closing_while_reading(place: Place) -> None:
    """M32: a store that is closed waits for the reader of its index, which gives up."""
    store = place.open()
    warm.keep(store).start()
    store.close()
    assert not any(thread.name == "authorization index" for thread in threading.enumerate())


def test_an_index_that_is_not_read_is_none(stores: tuple[Store, Store]) -> None:
    """M12: an embedded command does not read the tenant for one decision."""
    one, _ = stores
    assert may(one) is False
    with one.read() as transaction, warm.borrowed(transaction) as index:
        assert index is None


def test_emptied_feed(stores: tuple[Store, Store]) -> None:
    """M25: a feed that somebody emptied stops nobody from writing or deciding."""
    one, other = stores
    with one.engine.begin() as connection:
        connection.execute(text("DELETE FROM authorization_change"))
    assert not may(other)
    put(one, add(assigned("AcrPull")))
    assert may(other)
    warm.keep(other).stop()


def test_an_older_state_gets_the_feed(place: Place) -> None:
    """M32: a state made before there was a feed is upgraded; what moves from then on is followed."""
    place.directory.mkdir(mode=0o700)
    engine = place.engine()
    migrate.run(engine, "0001")
    engine.dispose()
    with closing(place.open()) as store:
        put(store, add(person("ann")))
        warm.keep(store).load()
        put(store, add(assigned("AcrPull")))
        assert knows(store)
