"""Sign-in state: signing keys, refresh tokens, authorization codes, device codes."""

from __future__ import annotations

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, delete, select, update

VALID_FROM = "tokens-valid-from"
"""The fact that holds the moment before which no access token is good any more."""


ENDED = "ended"
"""Stands in `Grant.spent` where a moment stands otherwise: the whole sign-in was ended."""


class SigningKey(SQLModel, table=True):
    """An RS256 key of the security token service; the private half is encrypted by the vault.

    `created` is the moment from which the key signs: a key is published before that. `certificate` is its DER (base64).
    """

    __tablename__ = "signing_key"

    kid: str = Field(primary_key=True)
    created: str = Field(index=True)
    retired: str = ""
    public_pem: str
    private_sealed: str
    certificate: str = ""


class Grant(SQLModel, table=True):
    """A refresh token, authorization code or device code, found by the SHA-256 of its text.

    `kind` is ``refresh``, ``code`` or ``device``; `family` links the tokens of one sign-in, so that using a spent
    refresh token ends them all (RFC 9700 section 4.14).
    """

    __tablename__ = "sign_in_grant"

    digest: str = Field(primary_key=True)
    kind: str
    family: str = Field(index=True)
    client_id: str
    principal_id: str | None = Field(default=None, index=True)
    user_code: str | None = Field(default=None, unique=True)
    expires: str = Field(index=True)
    spent: str = ""
    properties: dict[str, object] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def signing_keys(session: Session) -> list[SigningKey]:
    """Return all keys, newest first, those that do not sign yet among them."""
    return list(session.exec(select(SigningKey).order_by(col(SigningKey.created).desc(), col(SigningKey.kid))))


def by_user_code(session: Session, user_code: str) -> Grant | None:
    """Return the device code whose user code this is."""
    return session.exec(select(Grant).where(Grant.user_code == user_code)).first()


def end_family(session: Session, family: str) -> None:
    """End a sign-in: none of its codes and refresh tokens is good any more."""
    session.exec(update(Grant).where(col(Grant.family) == family).values(spent=ENDED))


def forget_expired(session: Session, before: str) -> None:
    """Delete what expired before a moment."""
    session.exec(delete(Grant).where(col(Grant.expires) < before))
