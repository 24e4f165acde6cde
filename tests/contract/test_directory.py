"""The directory's queries, on both databases (M6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from azext_trust.server.store import directory_lists
from azext_trust.server.store import principals as p
from azext_trust.server.store.transaction import Store
from tests.contract.conftest import change


def _object(kind: str, number: int, name: str, **more: Any) -> p.DirectoryObject:
    return p.DirectoryObject(
        id=f"{number:08d}-0000-0000-0000-000000000000", kind=kind, display_name=name, display_key=name.lower(),
        created="2025", **more,
    )  # fmt: skip


ALAIN = _object(p.USER, 1, "Alain", upn="Alain@contoso.com", upn_key="alain@contoso.com").id
BUILDER = f"{2:08d}-0000-0000-0000-000000000000"
INNER, OUTER, OTHER = (f"{number:08d}-0000-0000-0000-000000000000" for number in (3, 4, 5))
APP = "app-id-of-builder"


def _fill(session: Session) -> None:
    session.add_all(
        [
            _object(p.USER, 1, "Alain", upn="Alain@contoso.com", upn_key="alain@contoso.com"),
            _object(p.SERVICE_PRINCIPAL, 2, "builder", app_id=APP),
            _object(p.GROUP, 3, "Inner"), _object(p.GROUP, 4, "Outer"), _object(p.GROUP, 5, "inner"),
            _object(p.USER, 6, "Zoe", upn="zoe@x", upn_key="zoe@x", classic_administrator=True),
        ]
    )  # fmt: skip
    session.flush()
    session.add_all(
        [
            p.Application(id="a", app_id=APP, display_name="builder", display_key="builder", created="2025",
                          properties={"identifierUris": ["api://Builder"]}),
            p.Membership(group_id=INNER, member_id=ALAIN), p.Membership(group_id=OUTER, member_id=INNER),
            p.Membership(group_id=INNER, member_id=OUTER), p.Ownership(object_id="a", owner_id=ALAIN),
            p.DirectoryRoleMember(role="Global Administrator", principal_id=ALAIN),
            p.Credential(id="c2", owner_id="a", kind="secret", start="2"),
            p.Credential(id="c1", owner_id="a", kind="certificate", start="1"),
        ]
    )  # fmt: skip
    p.set_service_principal_names(session, BUILDER, ["api://Builder", APP, "api://Builder"])


@pytest.fixture
def session(store: Store) -> Iterator[Session]:
    """Give a reading session over a small directory."""
    with store.write() as transaction:
        _fill(transaction.session)
    with store.read() as transaction:
        yield transaction.session


def _id(found: p.DirectoryObject | None) -> str:
    assert found is not None
    return found.id


def test_a_user_is_found_by_name_whatever_its_case(session: Session) -> None:
    """M7: a user name's case does not matter."""
    assert _id(p.user_by_upn(session, "ALAIN@contoso.COM")) == ALAIN
    assert p.user_by_upn(session, "nobody@contoso.com") is None


def test_an_object_is_found_by_id_whatever_its_case(session: Session) -> None:
    """M7: an object id's case does not matter; those that do not exist are left out."""
    assert _id(p.by_id(session, ALAIN.upper())) == ALAIN
    assert set(p.by_ids(session, [ALAIN, BUILDER.upper(), "nobody"])) == {ALAIN, BUILDER}


def test_many_ids_at_once(session: Session) -> None:
    """A list longer than one statement may carry is asked for in parts."""
    assert set(p.by_ids(session, [ALAIN, *(str(number) for number in range(40_000))])) == {ALAIN}


@pytest.mark.parametrize("name", [APP.upper(), "API://builder"])
def test_a_service_principal_is_found_by_each_of_its_names(name: str, session: Session) -> None:
    """M7: the appId, or one of the servicePrincipalNames."""
    assert _id(p.service_principal_by_name(session, name)) == BUILDER


def test_names_of_a_service_principal(session: Session) -> None:
    """M7: each name once, the appId first."""
    assert p.service_principal_names(session, BUILDER) == [APP, "api://Builder"]


def test_a_service_principal_name_is_one_s_own(store: Store) -> None:
    """M7: two service principals cannot share a name."""
    with store.write() as transaction:
        _fill(transaction.session)
        transaction.session.add(_object(p.SERVICE_PRINCIPAL, 9, "thief"))
    thief = f"{9:08d}-0000-0000-0000-000000000000"
    with pytest.raises(IntegrityError):
        change(store, lambda session: p.set_service_principal_names(session, thief, ["API://BUILDER"]))
    with store.read() as transaction:
        assert p.service_principal_names(transaction.session, BUILDER) == [APP, "api://Builder"]


def test_applications(session: Session) -> None:
    """M6: by appId, by identifier URI, all by name."""
    found = p.application_by_app_id(session, APP.upper())
    assert found is not None
    assert p.application_with_uri(session, "api://BUILDER") is found
    assert p.application_with_uri(session, "api://other") is None
    assert p.applications(session) == [found]
    assert _id(p.service_principal_by_app_id(session, APP)) == BUILDER


def test_groups_by_name(session: Session) -> None:
    """M6: display names are not unique; all of a name are found, in a fixed order."""
    assert [row.id for row in p.of_kind(session, p.GROUP, "INNER")] == [INNER, OTHER]
    assert [row.id for row in p.of_kind(session, p.GROUP)] == [INNER, OTHER, OUTER]
    assert _id(p.group_by_name(session, "outer")) == OUTER


def _ids(session: Session, clause: directory_lists.Clause) -> list[str]:
    return sorted(session.exec(select(p.DirectoryObject.id).where(clause)))


def test_nested_groups_are_walked_once(session: Session) -> None:
    """M8: memberships are transitive, a cycle does not hang."""
    assert p.group_chains(session, ALAIN) == {INNER: (INNER,), OUTER: (INNER, OUTER)}
    assert _ids(session, directory_lists.all_members(OUTER)) == sorted([INNER, ALAIN])
    assert _ids(session, directory_lists.members(INNER)) == [ALAIN, OUTER]


def test_directory_roles(session: Session) -> None:
    """M12: who holds a directory role, and which roles somebody holds."""
    assert p.directory_roles(session, ALAIN) == {"Global Administrator"}
    assert p.role_holders(session, "Global Administrator") == [ALAIN]


def test_classic_administrators(session: Session) -> None:
    """M9: those who hold the flag."""
    assert [row.display_name for row in p.classic_administrators(session)] == ["Zoe"]


def test_credentials_oldest_first(session: Session) -> None:
    """M6: all of an owner, or those of a kind."""
    assert [row.id for row in p.credentials(session, ["a"])] == ["c1", "c2"]
    assert [row.id for row in p.credentials(session, ["a"], "secret")] == ["c2"]


def test_owners(session: Session) -> None:
    """M6: who owns what."""
    assert p.owners(session, "a") == [ALAIN]
    assert p.owned(session, ALAIN) == ["a"]


def test_removing_somebody_removes_what_hangs_on_it(store: Store) -> None:
    """M6: memberships, roles, ownerships and names go with an object."""
    with store.write() as transaction:
        _fill(transaction.session)
    with store.write() as transaction:
        p.remove(transaction.session, ALAIN)
        p.remove(transaction.session, BUILDER)
    with store.read() as transaction:
        session = transaction.session
        assert _ids(session, directory_lists.members(INNER)) == [OUTER]
        assert p.role_holders(session, "Global Administrator") == []
        assert p.owners(session, "a") == []
        assert p.service_principal_by_name(session, APP) is None
