"""Wrong passwords: after ten of them an account is locked for a while, longer each time.

Entra's smart lockout (https://learn.microsoft.com/entra/identity/authentication/howto-password-smart-lockout): ten
failures, one minute first, longer after that; the same wrong password counts once. Its exact growth is not published.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel

from azext_trust.server.store import clock

THRESHOLD = 10
"""This many wrong passwords lock an account; once it was locked, one more does."""
FIRST_SECONDS = 60
LONGEST_SECONDS = 3600
REMEMBERED = 3
"""So many wrong passwords are known again, by a keyed digest that is cut short."""


class SignInFailures(SQLModel, table=True):
    """The wrong passwords of one user since the last right one."""

    __tablename__ = "sign_in_failure"

    user_id: str = Field(primary_key=True, foreign_key="directory_object.id", ondelete="CASCADE")
    count: int = 0
    lockouts: int = 0
    until: str = ""
    recent: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


def locked(session: Session, user_id: str, now: datetime) -> bool:
    """Tell whether an account is locked now."""
    found = session.get(SignInFailures, user_id)
    return found is not None and found.until > clock.to_text(now)


def note(session: Session, user_id: str, now: datetime, mark: str) -> None:
    """Count a wrong password.

    Args:
        session: of a writing transaction.
        user_id: whose.
        now: the cloud's present.
        mark: what the same password always has and another hardly ever.
    """
    row = session.get(SignInFailures, user_id)
    if row is None:
        row = SignInFailures(user_id=user_id)
        session.add(row)
    if mark not in row.recent:
        row.count += 1
        row.recent = [*row.recent, mark][-REMEMBERED:]
        if row.count >= THRESHOLD:
            seconds = min(FIRST_SECONDS * 2**row.lockouts, LONGEST_SECONDS)
            row.until = clock.to_text(now + timedelta(seconds=seconds))
            row.lockouts += 1
    session.flush()


def clear(session: Session, user_id: str) -> None:
    """Forget the failures: the right password was given, or a new one was set."""
    found = session.get(SignInFailures, user_id)
    if found is not None:
        session.delete(found)
        session.flush()
