"""Tokens between commands: whole files, the owner's, encrypted where the platform can (M6)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msal_extensions
import pytest

from azext_trust.cloud import token_cache
from azext_trust.cloud.accounts import Account
from azext_trust.cloud.errors import CloudError

ACCOUNT: Account = {
    "tenantId": "t", "user": {"name": "a", "type": "user"}, "login": {"clientId": "c", "homeAccountId": "o.t"},
}  # fmt: skip
ARM = "https://management.core.windows.net//.default"


def keep(name: str = "lab", *, seconds: int = 3600, scope: str = ARM, client: str = "c") -> None:
    """Put a user's tokens into the cache, as msal does."""
    token_cache.cache(name).add(
        {
            "client_id": client, "scope": scope.split(), "data": {}, "environment": "localhost",
            "token_endpoint": "https://localhost/t/oauth2/v2.0/token",
            "response": {
                "token_type": "Bearer", "access_token": "an-access-token", "refresh_token": "a-refresh-token",
                "expires_in": seconds, "client_info": "eyJ1aWQiOiJvIiwidXRpZCI6InQifQ",
            },
        }
    )  # fmt: skip


def test_found_again(config_dir: Path) -> None:
    """M6: a token that holds for a while is taken from the file; whose it is and what for must fit."""
    keep()
    found = token_cache.unexpired("lab", ACCOUNT, ARM)
    assert found is not None
    assert found[0] == "an-access-token"
    assert abs(found[1] - time.time() - 3600) < 10
    assert token_cache.unexpired("lab", ACCOUNT, "https://graph.microsoft.com/.default") is None
    assert token_cache.unexpired("lab", {**ACCOUNT, "tenantId": "other"}, ARM) is None
    other = {**ACCOUNT, "login": {"clientId": "c", "homeAccountId": "x.t"}}
    assert token_cache.unexpired("lab", other, ARM) is None
    assert token_cache.unexpired("elsewhere", ACCOUNT, ARM) is None


def test_renewed_before_it_ends() -> None:
    """M11: a token that ends within five minutes is not used any more."""
    keep(seconds=token_cache.SPARE_SECONDS - 1)
    assert token_cache.unexpired("lab", ACCOUNT, ARM) is None


def test_files_are_the_owners(config_dir: Path) -> None:
    """M6: tokens and secrets can be read by their owner alone."""
    keep()
    token_cache.keep_secret("lab", "c", "t", {"secret": "s"})
    assert config_dir.stat().st_mode & 0o777 == 0o700
    held = [path for path in config_dir.iterdir() if path.suffix in (".json", ".bin")]
    assert len(held) == 2
    assert {path.stat().st_mode & 0o777 for path in held} == {0o600}


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00\x00", '{"AccessToken": 1}', '{"AccessToken": {"x": {}}}'])
def test_half_a_file(config_dir: Path, content: str) -> None:
    """M6: a damaged cache is an empty one: the next sign-in mends it."""
    config_dir.mkdir(mode=0o700)
    (config_dir / "tokens-lab.json").write_text(content)
    assert token_cache.unexpired("lab", ACCOUNT, ARM) is None
    if "AccessToken" not in content:
        keep()
        assert token_cache.unexpired("lab", ACCOUNT, ARM) is not None


def test_killed_while_writing(config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M6: whoever dies in the middle of writing leaves the tokens that were there."""

    def full(*_: object) -> None:
        raise OSError(28, "full")

    keep()
    monkeypatch.setattr("azext_trust.home.write_private", full)
    with pytest.raises(CloudError, match="cannot be written: full"):
        keep(client="other")
    monkeypatch.undo()
    monkeypatch.setenv("AZTRUST_CONFIG_DIR", str(config_dir))
    assert token_cache.unexpired("lab", ACCOUNT, ARM) is not None


def test_secrets() -> None:
    """M6: a service principal's credential is kept for each tenant, and forgotten with the account."""
    token_cache.keep_secret("lab", "C", "t", {"secret": "one"})
    token_cache.keep_secret("lab", "c", "u", {"secret": "two"})
    assert token_cache.secret_of("lab", "c", "T") == {"secret": "one"}
    assert token_cache.secret_of("lab", "c", "none") == {}
    token_cache.forget_account("lab", {**ACCOUNT, "login": {"clientId": "c"}})
    assert token_cache.secret_of("lab", "c", "t") == {}
    assert token_cache.secret_of("lab", "c", "u") == {"secret": "two"}


def test_forget_account() -> None:
    """M6: logging one user out leaves the others' tokens."""
    keep()
    keep(client="d")
    tokens = token_cache.cache("lab")
    token_cache.forget_account("lab", ACCOUNT)
    assert token_cache.unexpired("lab", ACCOUNT, ARM) is None
    assert list(tokens.search("RefreshToken")) == []
    keep()
    token_cache.forget_account("lab", {**ACCOUNT, "login": {"clientId": "c", "homeAccountId": "other.t"}})
    assert token_cache.unexpired("lab", ACCOUNT, ARM) is not None


def test_forget(config_dir: Path) -> None:
    """M6: ``account clear`` leaves no token and no secret."""
    keep()
    token_cache.keep_secret("lab", "c", "t", {"secret": "a-client-secret"})
    token_cache.forget("lab")
    left = b"".join(path.read_bytes() for path in config_dir.iterdir() if path.is_file())
    assert b"token" not in left
    assert b"a-client-secret" not in left


class Sealed(msal_extensions.FilePersistence):  # type: ignore[misc]
    """Stands in for a platform that encrypts."""

    is_encrypted = True

    def save(self, content: str) -> None:
        """Write it backwards."""
        super().save(content[::-1])

    def load(self) -> str:
        """Read it backwards."""
        return str(super().load())[::-1]


def test_encrypted_where_the_platform_can(config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M6: the platform's encryption is used where it is there; nothing lies beside it in clear."""
    monkeypatch.setattr(msal_extensions, "build_encrypted_persistence", Sealed)
    keep()
    token_cache.keep_secret("lab", "c", "t", {"secret": "a-client-secret"})
    assert token_cache.secret_of("lab", "c", "t") == {"secret": "a-client-secret"}
    assert [row["secret"] for row in token_cache.cache("lab").search("AccessToken")] == ["an-access-token"]
    left = b"".join(path.read_bytes() for path in config_dir.iterdir() if path.is_file())
    assert b"an-access-token" not in left
    assert b"a-client-secret" not in left
    token_cache.forget("lab")
    assert not list(token_cache.cache("lab").search("AccessToken"))


WRITER = """
import sys
from tests.unit.cloud.test_token_cache import keep
for number in range(15):
    keep(client=f"{sys.argv[1]}-{number}")
"""


def test_processes_at_once(config_dir: Path) -> None:
    """M6: what two processes write at the same time is all there, and a reader never finds half of it."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(number)], cwd=Path(__file__).parents[3])
        for number in range(2)
    ]
    path, reads = config_dir / "tokens-lab.json", 0
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            json.loads(path.read_bytes())
            reads += 1
        time.sleep(0.001)
    assert [writer.returncode for writer in writers] == [0, 0]
    held: dict[str, Any] = json.loads(path.read_bytes())["AccessToken"]
    assert len(held) == 30
    assert reads
