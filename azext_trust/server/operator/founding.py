"""First use: an empty state is founded from a seed; a seed is applied again without harm."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from azext_trust.server.gate import minting
from azext_trust.server.gate.call import Call, Reply, Settings
from azext_trust.server.operator import errors
from azext_trust.server.store import tokens
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.transaction import Store, Transaction

if TYPE_CHECKING:  # reading YAML is for founding only: every command opens the state
    from azext_trust.server.operator.seed_file import Seed
    from azext_trust.server.operator.seeding import Applied


def found(store: Store, settings: Settings) -> None:
    """Found the state when it is empty, apply a seed that was asked for, move the retirement switch if asked.

    Raises:
        azext_trust.server.operator.errors.SeedError: the seed is wrong; nothing was changed.
    """
    store.vault.operator_key()  # whoever may read the file is the operator, from the first moment on
    with store.read() as transaction:
        founded = bool(transaction.tenant_id())
        moves = settings.retirement not in (None, transaction.retirement())
    if founded and settings.seed is None and not moves:
        return
    _found(store, settings, founded)


class _Unchanged(Exception):
    """A seed made nothing: the transaction that looked is given up, and not even the revision moves."""


def _found(store: Store, settings: Settings, founded: bool) -> None:
    from azext_trust.server.operator import seed_file

    seed = seed_file.load(settings.seed) if settings.seed else seed_file.DEFAULT
    applied: Applied | None = None
    with suppress(_Unchanged), store.write() as transaction:
        # Another process may have founded the state while this one waited for the write lock.
        if settings.seed or not transaction.tenant_id():
            applied = _seeded(transaction, seed)
        _move(transaction, settings.retirement)
        if not transaction.recorded:
            raise _Unchanged
    if applied and not settings.quiet:
        tell(applied, "" if founded else f"Founded a new local cloud in {settings.state}.")


def _seeded(transaction: Transaction, seed: Seed) -> Applied:
    from azext_trust.server.operator import seeding

    applied = seeding.apply(transaction, seed)
    if not tokens.signing_keys(transaction.session):
        minting.add_signing_key(transaction)
    if applied.created:
        details: dict[str, object] = {"created": applied.created, "differs": applied.differs}
        transaction.record(Activity("aztrust/seed/apply", "/", "Allowed", "operator", "", details))
    return applied


def _move(transaction: Transaction, position: str | None) -> None:
    from azext_trust.server.operator import world

    before = transaction.retirement()
    if position not in (None, before):
        world.move_retirement(transaction, str(position))
        details: dict[str, object] = {"before": before, "after": position}
        transaction.record(Activity("aztrust/retirement/write", "/", "Allowed", "operator", "", details))


def tell(applied: Applied, first: str) -> None:
    """Say on stderr what was founded, which passwords were made up, and what differs from the seed."""
    lines = [first] if first and applied.created else []
    lines += [f"Password of {name} (shown this once): {password}" for name, password in applied.passwords.items()]
    lines += [f"Left as it is: {difference}." for difference in applied.differs]
    for line in lines:
        print(line, file=sys.stderr)


def apply_seed(transaction: Transaction, call: Call) -> Reply:
    """Apply the seed in the body (YAML text), and answer what was made and what differs."""
    from azext_trust.server.operator import seed_file, seeding

    try:
        text = call.body.decode()
        seed = seed_file.parse(text, call.query.get("name", "seed")) if text.strip() else seed_file.DEFAULT
        applied = seeding.apply(transaction, seed)
    except UnicodeDecodeError as error:
        raise errors.seed_refused(f"The seed is not UTF-8: {error}.") from None
    except errors.SeedError as error:
        raise errors.seed_refused(str(error)) from None
    call.change(after={"created": applied.created, "differs": applied.differs})
    return Reply({"created": applied.created, "differs": applied.differs, "passwords": applied.passwords})
