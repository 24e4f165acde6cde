"""Who is signed in: one sealed file for each session, in a directory of the cloud (docs/decisions/0009).

The cookie is the key. A file's name and its encryption key are both derived from the cookie's value, so that neither
the directory alone nor its listing lets anybody act for a visitor, and every worker on the directory can open it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from azext_trust import home

IDLE_SECONDS = 8 * 3600
"""A session nobody used for so long has ended."""
LIFE_SECONDS = 24 * 3600
"""However much it is used, a session ends after a day."""
_TOUCH_SECONDS = 300
_NONCE = 12
"""AES-GCM's nonce in bytes (NIST SP 800-38D section 5.2.1.1); each seal of a file uses a new one."""


@dataclass
class Session:
    """A signed-in visitor.

    Attributes:
        name: user principal name.
        display_name: as the directory has it.
        oid: object id.
        tenant: tenant id.
        csrf: the text that this session's forms carry.
        refresh: the refresh token in force.
        tokens: scope -> access token and the second (Unix time) at which it ends.
        created: when the sign-in was (Unix time).
    """

    name: str
    display_name: str
    oid: str
    tenant: str
    refresh: str
    created: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    tokens: dict[str, tuple[str, int]] = field(default_factory=dict)


class Sessions:
    """The sessions in a directory, which any number of workers may share.

    Args:
        folder: made when first needed, for its owner only.
        now: the time (Unix).
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._now = now

    def create(self, session: Session) -> str:
        """Keep a new session and return its cookie's value; ended ones are cleared away."""
        home.private_dir(self._folder)
        self._purge()
        secret = secrets.token_urlsafe(32)
        self._write(secret, session)
        return secret

    def load(self, secret: str) -> Session | None:
        """Return the session a cookie opens; None when there is none, or it has ended."""
        path = self._path(secret)
        try:
            sealed, used = path.read_bytes(), path.stat().st_mtime
        except OSError:
            return None
        found = _opened(secret, sealed)
        if found is None or self._ended(used) or self._now() - found.created > LIFE_SECONDS:
            path.unlink(missing_ok=True)
            return None
        if self._now() - used > _TOUCH_SECONDS:
            self._touch(path)
        return found

    @contextmanager
    def changing(self, secret: str) -> Iterator[Session | None]:
        """Hold a session alone, across all workers, and write it back; None when it is gone.

        A refresh token is spent by its use: two requests that renew at once must do so one after the other.
        """
        with self._alone():
            session = self.load(secret)
            yield session
            if session is not None:
                self._write(secret, session)

    def delete(self, secret: str) -> None:
        """End a session."""
        # Alone: a renewal that is under way would write the file again.
        with self._alone():
            self._path(secret).unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        home.private_dir(self._folder)
        handle = os.open(self._folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _path(self, secret: str) -> Path:
        return self._folder / (_derived("name", secret).hex() + ".session")

    def _write(self, secret: str, session: Session) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE)
        plain = json.dumps(asdict(session)).encode()
        path = self._path(secret)
        home.write_private(path, nonce + AESGCM(_derived("key", secret)).encrypt(nonce, plain, None))
        self._touch(path)

    def _touch(self, path: Path) -> None:
        # Another worker may end the session at this moment; then there is nothing to touch.
        try:
            os.utime(path, (self._now(), self._now()))
        except FileNotFoundError:
            return

    def _ended(self, used: float) -> bool:
        return self._now() - used > IDLE_SECONDS

    def _purge(self) -> None:
        for path in self._folder.glob("*.session"):
            try:
                if self._ended(path.stat().st_mtime):
                    path.unlink(missing_ok=True)
            except FileNotFoundError:
                continue


def _derived(purpose: str, secret: str) -> bytes:
    # The secret has 256 bits of its own: one hash separates the uses, and there is nothing to stretch.
    return hashlib.sha256(f"aztrust portal {purpose}\0{secret}".encode()).digest()


def _opened(secret: str, sealed: bytes) -> Session | None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        plain = AESGCM(_derived("key", secret)).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        held = json.loads(plain)
        held["tokens"] = {scope: (str(token), int(end)) for scope, (token, end) in held["tokens"].items()}
        return Session(**held)
    except (InvalidTag, ValueError, KeyError, TypeError):
        return None
