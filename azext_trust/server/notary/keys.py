"""The server's own keys: made on demand, kept encrypted, each for one repository and one role (M17)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.notary import place
from azext_trust.server.store import trust_data
from azext_trust.server.store.transaction import Transaction
from azext_trust.server.store.trust import TrustKey
from azext_trust.server.store.trust_data import Repository
from azext_trust.tuf import canonical, roles
from azext_trust.tuf import keys as tuf_keys
from azext_trust.tuf.keys import PrivateKey, PublicKey
from azext_trust.tuf.metadata import Root
from azext_trust.tuf.server import ServerKey

MAX_PENDING = 10
"""How many keys of a role may wait for a root that names them; beyond it the oldest goes."""


MAX_OPENED = 1000
"""How many keys a process keeps decrypted."""
_OPENED = "notary keys"


def timestamp(transaction: Transaction, call: Call) -> Reply:
    """Return the public timestamp key."""
    return _shown(transaction, call, roles.TIMESTAMP)


def snapshot(transaction: Transaction, call: Call) -> Reply:
    """Return the public snapshot key."""
    return _shown(transaction, call, roles.SNAPSHOT)


def rotate_timestamp(transaction: Transaction, call: Call) -> Reply:
    """Return a new timestamp key; it signs once a root names it."""
    return _made(transaction, call, place.repository_of(transaction, call), roles.TIMESTAMP)


def rotate_snapshot(transaction: Transaction, call: Call) -> Reply:
    """Return a new snapshot key; it signs once a root names it."""
    return _made(transaction, call, place.repository_of(transaction, call), roles.SNAPSHOT)


def _shown(transaction: Transaction, call: Call, role: str) -> Reply:
    """Return the key that the root names if it is the server's, else one that waits for a root, else a new one.

    The reference makes a new key at each call before there is a root. Two first pushers who are given the same one
    are no worse off: one of them publishes, the other gets VERSION.
    """
    of = place.repository_of(transaction, call)
    held = [row for row in trust_data.keys(transaction.session, of) if row.role == role]
    root = trust_data.newest(transaction.session, of, roles.ROOT)
    if root is not None:
        named = Root.parse(root.content).of(role).keys
        held = [row for row in held if row.key_id in named]
    if held:
        call.change(after={"gun": of.gun, "role": role, "keyId": held[0].key_id, "new": False})
        return _answer(PublicKey.from_dict(canonical.decode(bytes(held[0].public))))
    return _made(transaction, call, of, role)


def _made(transaction: Transaction, call: Call, of: Repository, role: str) -> Reply:
    key = _make(transaction, of, role)
    call.change(after={"gun": of.gun, "role": role, "keyId": key.id, "new": True})
    return _answer(key.public)


def _answer(key: PublicKey) -> Reply:
    value = {"keytype": key.kind, "keyval": {"public": key.to_dict()["keyval"]["public"], "private": None}}
    return Reply(value)


def _make(transaction: Transaction, of: Repository, role: str) -> PrivateKey:
    key = tuf_keys.generate()
    secret = key.material.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    transaction.session.add(
        TrustKey(
            registry_id=of.registry_id, gun=of.gun, role=role, key_id=key.id, created=transaction.now_text(),
            public=canonical.encode(key.public.to_dict()),
            private_sealed=transaction.vault.encrypt(secret, _purpose(of, role, key.id)),
        )
    )  # fmt: skip
    transaction.session.flush()
    _forget_pending(transaction, of, role)
    return key


def _purpose(of: Repository, role: str, key_id: str) -> str:
    """Return what a sealed key is bound to: moved to another row, it cannot be opened."""
    return f"trust {of.registry_id} {of.gun} {role} {key_id}"


def _forget_pending(transaction: Transaction, of: Repository, role: str) -> None:
    root = trust_data.newest(transaction.session, of, roles.ROOT)
    named = Root.parse(root.content).of(role).keys if root else {}
    waiting = [
        row.key_id for row in trust_data.keys(transaction.session, of) if row.role == role and row.key_id not in named
    ]
    if len(waiting) > MAX_PENDING:
        trust_data.forget_keys(transaction.session, of, waiting[MAX_PENDING:])


class Held(Mapping[str, ServerKey]):
    """The server's keys of a repository by id; a process decrypts each once.

    Args:
        transaction: the one whose vault opens them.
        of: the repository.
    """

    def __init__(self, transaction: Transaction, of: Repository) -> None:
        self._transaction = transaction
        self._of = of
        self._rows = {row.key_id: row for row in trust_data.keys(transaction.session, of)}

    def __getitem__(self, key_id: str) -> ServerKey:
        row = self._rows[key_id]
        opened = self._transaction.shared.setdefault(_OPENED, {})
        assert isinstance(opened, dict)
        # By the purpose too: what was moved to another row is not found here either.
        name = _purpose(self._of, row.role, key_id), row.private_sealed
        private = opened.get(name)
        if private is None:
            if len(opened) >= MAX_OPENED:
                opened.clear()
            private = opened[name] = self._opened(*name)
        return ServerKey(row.role, private)

    def _opened(self, purpose: str, sealed: str) -> PrivateKey:
        found = serialization.load_der_private_key(self._transaction.vault.decrypt(sealed, purpose), None)
        assert isinstance(found, EllipticCurvePrivateKey)  # _make makes no others
        return PrivateKey(found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._rows

    def retired(self, named: frozenset[str]) -> list[str]:
        """Return the keys that a root named once and names no more: older than the oldest it names, and not named."""
        oldest = min((self._rows[key_id].created for key_id in named if key_id in self._rows), default="")
        return [key_id for key_id, row in self._rows.items() if key_id not in named and row.created < oldest]
