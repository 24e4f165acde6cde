"""Imports of images: what was asked for, who works on it, how it ended.

An import is written down before anybody is told that it was accepted, so that it outlives the process that began it:
whoever works on it gives a sign of life now and then, and where that stays away, somebody else goes on.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Connection
from sqlmodel import Field, Session, SQLModel, col, delete, select

from azext_trust.server.store import clock
from azext_trust.server.store.statements import Statement

RUNNING, SUCCEEDED, FAILED = "Running", "Succeeded", "Failed"
SILENT_SECONDS = 15
"""Without a sign of life for so long, an import counts as abandoned by its worker."""
KEPT_SECONDS = 24 * 3600
"""For how long the end of an import can be asked for; one that did not end within it is given up."""


class ImportOperation(SQLModel, table=True):
    """An import; times but `created` are the machine's, in seconds.

    `request` holds ``scope``, ``source``, ``image``, ``targets`` (pairs of repository and tag, empty for none) and
    ``force``; `sealed` the source's user name and password while they are needed. `status`, `code` and `message` say
    how a failed one failed.
    """

    __tablename__ = "import_operation"

    id: str = Field(primary_key=True)
    registry_id: str = Field(index=True)
    state: str = RUNNING
    caller_id: str
    caller_kind: str
    caller_name: str
    correlation_id: str
    created: str
    began: int = Field(sa_column=Column(BigInteger, nullable=False))
    request: dict[str, object] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    sealed: str = ""
    owner: str = ""
    beat: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    status: int = 0
    code: str = ""
    message: str = ""


def purpose(operation: str) -> str:
    """Return the vault's purpose for an import's credentials."""
    return f"import:{operation}"


def by_id(session: Session, operation: str) -> ImportOperation | None:
    """Return an import."""
    return session.get(ImportOperation, operation)


_CLAIM = (
    "UPDATE import_operation SET owner = :owner, beat = :now WHERE id = (SELECT id FROM import_operation"
    " WHERE state = 'Running' AND beat < :before {} ORDER BY began LIMIT 1) RETURNING id"
)
_CLAIM_ANY, _CLAIM_ONE = Statement(_CLAIM.format("")), Statement(_CLAIM.format("AND id = :id"))
_BEAT = Statement(
    "UPDATE import_operation SET beat = :now WHERE id = :id AND owner = :owner AND state = 'Running' RETURNING id"
)
_LET_GO = Statement("UPDATE import_operation SET beat = 0 WHERE id = :id AND owner = :owner")


def left_behind(session: Session) -> bool:
    """Tell whether there is an import that nobody works on."""
    before = int(clock.machine().timestamp()) - SILENT_SECONDS
    query = select(ImportOperation.id).where(ImportOperation.state == RUNNING, col(ImportOperation.beat) < before)
    return session.exec(query.limit(1)).first() is not None


def claim(connection: Connection, owner: str, operation: str = "") -> str:
    """Take an import that nobody works on; part of a writing transaction.

    Args:
        connection: in the transaction.
        owner: who takes it.
        operation: this one only, or empty for the oldest.

    Returns:
        its id, or empty when there is none.
    """
    now = int(clock.machine().timestamp())
    values = {"owner": owner, "now": now, "before": now - SILENT_SECONDS, "id": operation}
    found = (_CLAIM_ONE if operation else _CLAIM_ANY).first(connection, values)
    return str(found[0]) if found is not None else ""


def beat(connection: Connection, operation: str, owner: str) -> bool:
    """Give a sign of life; False when somebody else has taken the import meanwhile, or it is over."""
    now = int(clock.machine().timestamp())
    return _BEAT.first(connection, {"now": now, "id": operation, "owner": owner}) is not None


def let_go(connection: Connection, operation: str, owner: str) -> None:
    """Leave an import to whoever comes next."""
    _LET_GO.run(connection, {"id": operation, "owner": owner}).close()


def forget_old(session: Session) -> None:
    """Delete the imports whose end nobody will ask for any more."""
    before = int(clock.machine().timestamp()) - KEPT_SECONDS
    session.exec(
        delete(ImportOperation).where(col(ImportOperation.began) < before, col(ImportOperation.state) != RUNNING)
    )
