"""Encryption at rest (M17)."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from azext_trust.server.store.errors import StateError, VaultKeyError
from azext_trust.server.store.vault import Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Give a vault with a key of its own."""
    made = Vault(tmp_path)
    made.create()
    return made


def test_what_is_encrypted_comes_back(vault: Vault) -> None:
    """M17: under the purpose it was encrypted for."""
    assert vault.decrypt(vault.encrypt(b"secret", "a"), "a") == b"secret"


def test_the_same_secret_looks_different_each_time(vault: Vault) -> None:
    """M17: what is stored does not tell which secrets are equal."""
    assert vault.encrypt(b"secret", "a") != vault.encrypt(b"secret", "a")


def test_a_value_cannot_be_moved_to_another_place(vault: Vault) -> None:
    """M17: a sealed key of one repository is no key of another."""
    sealed = vault.encrypt(b"secret", "a")
    with pytest.raises(VaultKeyError):
        vault.decrypt(sealed, "b")


@pytest.mark.parametrize("at", [0, 20, -1])
def test_a_changed_value_is_refused(vault: Vault, at: int) -> None:
    """M17: nonce, text and tag are authenticated."""
    raw = bytearray(base64.b64decode(vault.encrypt(b"secret", "a")))
    raw[at] ^= 1
    with pytest.raises(VaultKeyError):
        vault.decrypt(base64.b64encode(raw).decode(), "a")


@pytest.mark.parametrize("text", ["", "x", "é", "AAAA"])
def test_what_is_no_sealed_value_is_refused(vault: Vault, text: str) -> None:
    """M17: a damaged column is an error with a text, not a traceback."""
    with pytest.raises(VaultKeyError):
        vault.decrypt(text, "a")


def test_a_vault_does_not_make_a_key_that_should_be_there(tmp_path: Path) -> None:
    """M17: a lost key is told, not replaced: everything sealed with it would be lost quietly."""
    with pytest.raises(VaultKeyError, match=r"keys/vault is missing\. Restore it"):
        Vault(tmp_path).encrypt(b"secret", "a")
    assert not (tmp_path / "keys").exists()


def test_the_key_file_is_made_once(vault: Vault, tmp_path: Path) -> None:
    """M17: founding twice keeps the key."""
    before = (tmp_path / "keys" / "vault").read_bytes()
    vault.create()
    assert (tmp_path / "keys" / "vault").read_bytes() == before


def test_an_operator_key_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The error is one line with a cure."""
    (tmp_path / "keys").write_text("in the way")
    with pytest.raises(StateError, match="cannot be used"):
        Vault(tmp_path).operator_key()
