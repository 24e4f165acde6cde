"""Queries of resources, authorization, sign-in and trust data, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from azext_trust.server.store import authorization as auth
from azext_trust.server.store import facts, registries, resources, tokens, trust, wipe
from azext_trust.server.store.transaction import Store, Transaction
from tests.contract.conftest import change

SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
TOP = f"/subscriptions/{SUBSCRIPTION}"
LAB = f"{TOP}/resourcegroups/lab"
MINE = f"{LAB}/providers/microsoft.containerregistry/registries/mine1"
NOW = "2025-01-01T00:00:00.0000000Z"


def _resources(session: Session) -> None:
    session.add_all(
        [
            resources.ManagementGroup(key="root", id="root", display_name="Root"),
            resources.ManagementGroup(key="child", id="Child", display_name="Child", parent_key="root"),
            resources.ManagementGroup(key="circle", id="circle", display_name="Circle", parent_key="circle"),
            resources.Subscription(id=SUBSCRIPTION, name="Lab", management_group="child"),
        ]
    )
    session.flush()
    for name in ("Lab", "another"):
        session.add(resources.ResourceGroup(subscription_id=SUBSCRIPTION, name_key=name.lower(), name=name,
                                            location="westeurope", tags={"a": "é"}))  # fmt: skip
    for group, name in (("Lab", "Mine1"), ("another", "yours")):
        scope = f"{TOP}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{name}"
        session.add(registries.new(scope, "westeurope", "Premium", NOW, "somebody"))


def test_resource_groups(store: Store) -> None:
    """Found by name whatever its case, listed by name, with their tags as they were."""
    with store.write() as transaction:
        _resources(transaction.session)
    with store.read() as transaction:
        found = resources.resource_group(transaction.session, SUBSCRIPTION.upper(), "LAB")
        assert found is not None
        assert (found.name, found.tags) == ("Lab", {"a": "é"})
        assert [row.name for row in resources.groups(transaction.session, SUBSCRIPTION)] == ["another", "Lab"]
        assert resources.resource_group(transaction.session, SUBSCRIPTION, "none") is None


def test_a_group_needs_its_subscription(store: Store) -> None:
    """Foreign keys hold."""
    row = resources.ResourceGroup(subscription_id="none", name_key="a", name="a", location="westeurope")
    with pytest.raises(IntegrityError):
        change(store, lambda session: session.add(row))
    with store.read() as transaction:
        assert resources.groups(transaction.session, "none") == []


def test_subscriptions_and_their_management_groups(store: Store) -> None:
    """M12: the chain goes up to the root, and a circle ends."""
    with store.write() as transaction:
        _resources(transaction.session)
    above = "/providers/microsoft.management/managementgroups/"
    with store.read() as transaction:
        assert [row.name for row in resources.subscriptions(transaction.session)] == ["Lab"]
        assert resources.management_chain(transaction.session, "child") == [f"{above}child", f"{above}root"]
        assert resources.management_chain(transaction.session, "circle") == [f"{above}circle"]
        assert resources.management_chain(transaction.session, None) == []


def test_registries(store: Store) -> None:
    """M1: by scope and by name whatever the case, in a subscription, in a group."""
    with store.write() as transaction:
        _resources(transaction.session)
    with store.read() as transaction:
        session = transaction.session
        found = registries.by_scope(session, MINE)
        assert found is not None
        assert registries.by_name(session, "MINE1") is found
        assert found.policies == registries.default_policies(NOW)
        assert [row.name for row in registries.in_subscription(session, SUBSCRIPTION)] == ["Mine1", "yours"]
        assert [row.name for row in registries.in_subscription(session, SUBSCRIPTION, "LAB")] == ["Mine1"]


def _assignment(number: int, scope: str, role: str = "owner", principal: str = "p") -> auth.Assignment:
    return auth.Assignment(
        id=f"a{number}", scope=scope, scope_key=scope.lower(), role_id=role, principal_id=principal,
        principal_type="User", created_on=f"2025-{number:02d}", updated_on="",
    )  # fmt: skip


def _assignments(session: Session) -> None:
    scopes = [MINE, LAB, TOP, "/", f"{TOP}/resourcegroups/lab_rest", f"{TOP}/resourcegroups/labXrest"]
    session.add_all([_assignment(number, scope) for number, scope in enumerate(scopes)])
    session.add(_assignment(8, LAB, "reader", "q"))


def test_assignments(store: Store) -> None:
    """M7: of principals, of a role at scopes, around a scope, below a scope."""
    with store.write() as transaction:
        _assignments(transaction.session)
    with store.read() as transaction:
        session = transaction.session
        assert {row.id for row in auth.assignments_of(session, ["q", "nobody"])} == {"a8"}
        assert [row.id for row in auth.assignments_with_role(session, "owner", [TOP, LAB])] == ["a1", "a2"]
        around = auth.assignments_around(session, LAB, [LAB, TOP, "/"])
        assert [row.id for row in around] == ["a0", "a1", "a2", "a3", "a8"]
        assert auth.count_below(session, LAB) == 3
        assert auth.count_below(session, f"{TOP}/resourcegroups/lab_rest") == 1
        assert auth.has_assignments(session, "reader")
        assert not auth.has_assignments(session, "nothing")


def test_assignments_of_very_many_principals(store: Store) -> None:
    """M12: somebody in very many groups is asked about in parts."""
    with store.write() as transaction:
        _assignments(transaction.session)
    with store.read() as transaction:
        assert len(auth.assignments_of(transaction.session, ["q", *map(str, range(40_000))])) == 1


def test_an_assignment_is_made_once(store: Store) -> None:
    """M7: the same role for the same principal at the same scope is refused by the database itself."""
    with pytest.raises(IntegrityError):
        change(store, lambda session: session.add_all([_assignment(1, LAB), _assignment(2, LAB.upper())]))
    with store.read() as transaction:
        assert auth.assignments_of(transaction.session, ["p"]) == []


def test_custom_roles_and_denies(store: Store) -> None:
    """M12: custom roles by id and by name, deny assignments at scopes, with their permissions as they were."""
    allowed = [{"actions": ["*/read"], "notActions": []}]
    with store.write() as transaction:
        for number, name in enumerate(("Pusher", "Auditor")):
            transaction.session.add(auth.CustomRole(id=f"r{number}", name=name, name_key=name.lower(), created_on="",
                                                    updated_on="", permissions=allowed))  # fmt: skip
        transaction.session.add(auth.Deny(id="d", name="no", scope=LAB, scope_key=LAB, permissions=allowed))
    with store.read() as transaction:
        session = transaction.session
        assert [row.name for row in auth.custom_roles(session)] == ["Auditor", "Pusher"]
        assert [row.permissions for row in auth.custom_roles(session, ["r0", "none"])] == [allowed]
        assert auth.custom_roles(session, []) == []
        assert auth.custom_role_by_name(session, "PUSHER") is not None
        assert [row.id for row in auth.denies_at(session, [LAB, TOP])] == ["d"]


def test_signing_keys_newest_first(store: Store) -> None:
    """M6: tokens are signed with the newest key."""
    with store.write() as transaction:
        for number in (1, 3, 2):
            made = tokens.SigningKey(kid=str(number), created=str(number), public_pem="", private_sealed="")
            transaction.session.add(made)
    with store.read() as transaction:
        assert [row.kid for row in tokens.signing_keys(transaction.session)] == ["3", "2", "1"]


def _trust(transaction: Transaction, registry: str) -> None:
    for gun in ("g1", "g2"):
        for version in (1, 2):
            transaction.session.add(trust.TrustMetadata(
                registry_id=registry, gun=gun, role="targets", version=version, sha256="", created=NOW, content=b"\x00",
            ))  # fmt: skip
        for role in ("targets", "targets/releases"):
            transaction.session.add(
                trust.TrustTag(registry_id=registry, gun=gun, role=role, tag="v1", sha256="", length=1)
            )
        key = trust.TrustKey(registry_id=registry, gun=gun, role="timestamp", key_id="k", created=NOW, public=b"",
                             private_sealed="")  # fmt: skip
        change = trust.TrustChange(registry_id=registry, gun=gun, version=1, sha256="", category="update", created=NOW)
        transaction.session.add_all([key, change])


def _registries(store: Store, *names: str) -> None:
    """Make registries with trust data: one tag in each of two repositories, signed by two roles."""
    with store.write() as transaction:
        for name in names:
            scope = f"/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/{name}"
            row = registries.new(scope, "westeurope", "Premium", NOW, "me")
            transaction.session.add(row)
            transaction.session.flush()
            _trust(transaction, row.trust_space)


def _named(transaction: Transaction, name: str) -> registries.Registry:
    found = registries.by_name(transaction.session, name)
    assert found is not None
    return found


def test_erasing_trust_data_takes_one_registry_s(store: Store) -> None:
    """M4: what is lost is counted, each signed tag once; all of it goes, the neighbour's stays."""
    _registries(store, "first", "second")
    with store.write() as transaction:
        assert trust.erase(transaction, _named(transaction, "first")) == trust.Loss(2, 2)
    with store.read() as transaction:
        assert trust.loss(transaction.session, _named(transaction, "first")) == trust.Loss(0, 0)
        assert trust.loss(transaction.session, _named(transaction, "second")) == trust.Loss(2, 2)
        spaces = {space for table in trust.TABLES for space in transaction.session.exec(select(table.registry_id))}
        assert spaces == {_named(transaction, "second").trust_space}
        assert facts.WIPE not in facts.known(transaction.session)


def test_an_erasure_that_fails_takes_nothing(store: Store) -> None:
    """M4: all of it goes, or nothing."""
    _registries(store, "first")

    def fail() -> None:
        with store.write() as transaction:
            trust.erase(transaction, _named(transaction, "first"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as transaction:
        assert trust.loss(transaction.session, _named(transaction, "first")) == trust.Loss(2, 2)


def test_rows_of_a_registry_that_is_gone_go_with_the_next_erasure(store: Store) -> None:
    """M4: a killed process left rows that belong to nobody, and the note of it: the next writer deletes them."""
    _registries(store, "first", "second")
    with store.write() as transaction:
        transaction.session.delete(_named(transaction, "first"))
    with store.write() as transaction:
        wipe.ask(transaction.session)
        transaction.truncate = True
    with store.read() as transaction:
        spaces = set(transaction.session.exec(select(trust.TrustTag.registry_id)))
        assert spaces == {_named(transaction, "second").trust_space}
