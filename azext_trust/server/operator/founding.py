"""First use: an empty state is founded from a seed; a seed is applied again without harm."""

from __future__ import annotations

import sys

from azext_trust.server.gate import minting
from azext_trust.server.gate.call import Call, Reply, Settings
from azext_trust.server.operator import errors
from azext_trust.server.store import tokens
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.transaction import Store, Transaction


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


def _found(store: Store, settings: Settings, founded: bool) -> None:
    from azext_trust.server.operator import seed_file, seeding, world

    seed = seed_file.load(settings.seed) if settings.seed else seed_file.DEFAULT
    applied = seeding.Applied()
    with store.write() as transaction:
        # Another process may have founded the state while this one waited for the write lock.
        if settings.seed or not transaction.tenant_id():
            applied = seeding.apply(transaction, seed)
            if not tokens.signing_keys(transaction.session):
                minting.add_signing_key(transaction)
            transaction.record(_entry("aztrust/seed/apply", applied))
        if settings.retirement and settings.retirement != transaction.retirement():
            before = transaction.retirement()
            world.move_retirement(transaction, settings.retirement)
            entry = Activity("aztrust/retirement/write", "/", "Allowed", "operator", "", {"before": before})
            entry.details["after"] = settings.retirement
            transaction.record(entry)
    if not settings.quiet:
        tell(applied, "" if founded else f"Founded a new local cloud in {settings.state}.")


def _entry(name: str, applied: object) -> Activity:
    made, differs = getattr(applied, "created", []), getattr(applied, "differs", [])
    details: dict[str, object] = {"created": made, "differs": differs}
    return Activity(name, "/", "Allowed", "operator", "", details)


def tell(applied: object, first: str) -> None:
    """Say on stderr what was founded, which passwords were made up, and what differs from the seed."""
    made: dict[str, str] = getattr(applied, "passwords", {})
    lines = [first] if first and getattr(applied, "created", []) else []
    lines += [f"Password of {name} (shown this once): {password}" for name, password in made.items()]
    lines += [f"Left as it is: {difference}." for difference in getattr(applied, "differs", [])]
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
