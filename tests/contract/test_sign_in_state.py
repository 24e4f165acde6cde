"""What signing in keeps, on SQLite and on PostgreSQL (M6, M32)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from azext_trust.server.gate import minting, signing_keys
from azext_trust.server.store import lockouts, principals, tokens
from azext_trust.server.store.transaction import Store
from tests.contract.conftest import Place
from tests.managed_identities import add

USER = "55555555-5555-5555-5555-555555555555"
IDENTITY = "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ci"


@pytest.fixture
def store(place: Place) -> Store:
    """A state with one user."""
    opened = place.open()
    with opened.write() as transaction:
        transaction.session.add(
            principals.DirectoryObject(id=USER, kind=principals.USER, display_name="u", display_key="u", created="")
        )
    return opened


def test_lockout(store: Store) -> None:
    """M6: ten different failures lock, the same one counts once, and all of it is forgotten together."""
    with store.write() as transaction:
        session, now = transaction.session, transaction.now()
        for number in range(20):
            lockouts.note(session, USER, now, f"mark-{number % 2}")
        assert not lockouts.locked(session, USER, now)
        for number in range(8):
            lockouts.note(session, USER, now, f"other-{number}")
        assert lockouts.locked(session, USER, now)
        assert not lockouts.locked(session, USER, now + timedelta(seconds=lockouts.FIRST_SECONDS))
    with store.write() as transaction:
        assert lockouts.locked(transaction.session, USER, now)
        lockouts.clear(transaction.session, USER)
        assert not lockouts.locked(transaction.session, USER, now)
    store.close()


def test_failures_go_with_their_user(store: Store) -> None:
    """M6: a user who is deleted leaves no failures behind."""
    with store.write() as transaction:
        lockouts.note(transaction.session, USER, transaction.now(), "mark")
    with store.write() as transaction:
        principals.remove(transaction.session, USER)
    with store.read() as transaction:
        assert transaction.session.get(lockouts.SignInFailures, USER) is None
    store.close()


def test_managed_identities(store: Store) -> None:
    """M6: service principals of managed identities are found among the others."""
    found = add(store, IDENTITY)
    with store.write() as transaction:
        transaction.session.add(
            principals.DirectoryObject(id="o", kind=principals.SERVICE_PRINCIPAL, display_name="o", display_key="o",
                                       created="", properties={"servicePrincipalType": "Application"})
        )  # fmt: skip
    with store.read() as transaction:
        assert [row.id for row in principals.managed_identities(transaction.session)] == [found.id]
    store.close()


def test_signing_keys(store: Store) -> None:
    """M6: keys come newest first, sign once their time has come, and are opened with the vault."""
    with store.write() as transaction:
        first = minting.add_signing_key(transaction)
        second = signing_keys.add(transaction, transaction.now() + timedelta(days=1))
    with store.read() as transaction:
        keys = tokens.signing_keys(transaction.session)
        assert [key.kid for key in keys] == [second.kid, first.kid]
        assert signing_keys.current(transaction).kid == first.kid
        later = transaction.now() + timedelta(days=2, seconds=1)
        found = signing_keys.signing(keys, later)
        assert found is not None
        assert found.kid == second.kid
        assert signing_keys.private_key(store.vault, found).key_size == 2048
    store.close()


def test_grants(store: Store) -> None:
    """M6: a family ends as one, expired grants go, and a user code is found."""
    with store.write() as transaction:
        for number, family in enumerate(("a", "a", "b")):
            row = tokens.Grant(digest="", kind="", family=family, client_id="c", expires="", user_code=f"CODE{number}")
            minting.new_grant(transaction, "refresh", 60 if number else -30 * 86400, row)
        tokens.end_family(transaction.session, "a")
    with store.read() as transaction:
        assert tokens.by_user_code(transaction.session, "CODE0") is None
        ended, other = (tokens.by_user_code(transaction.session, f"CODE{number}") for number in (1, 2))
        assert ended is not None
        assert other is not None
        assert (ended.spent, other.spent) == (tokens.ENDED, "")
    store.close()
