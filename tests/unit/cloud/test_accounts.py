"""Accounts, as az keeps them (M6)."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from azext_trust.cloud import accounts
from azext_trust.cloud.accounts import Account, Accounts
from azext_trust.cloud.errors import CloudError, NotSignedIn
from azext_trust.cloud.profile import EMBEDDED, Profile


def row(name: str, number: int = 1, state: str = "Enabled", title: str = "") -> Account:
    """Return an account of somebody for a subscription."""
    return {
        "environmentName": "Lab", "id": f"{number:08}", "isDefault": False, "name": title or f"sub {number}",
        "state": state, "tenantId": "t", "user": {"name": name, "type": "user"}, "login": {"clientId": "c"},
    }  # fmt: skip


@pytest.fixture
def held() -> Accounts:
    """No accounts yet."""
    return Accounts("lab", "Lab")


def ids(held: Accounts) -> list[tuple[str, str, bool]]:
    """Return subscription, user and whether it is in use."""
    return [(one["id"], one["user"]["name"], one["isDefault"]) for one in held.all()]


def test_first_enabled_is_in_use(held: Accounts) -> None:
    """M6: the first subscription that is enabled, or the first when none is."""
    held.add([row("a", 1, "Disabled"), row("a", 2)])
    assert held.current()["id"] == "00000002"
    other = Accounts("other")
    other.add([row("a", 1, "Disabled"), row("a", 2, "Warned")])
    assert other.current()["id"] == "00000001"


def test_subscription_in_use_stays_in_use(held: Accounts) -> None:
    """M6: signing in again keeps the subscription that was chosen, where it is found again."""
    held.add([row("a", 1), row("a", 2)])
    held.choose("sub 2")
    held.add([row("a", 1), row("a", 2)])
    assert held.current()["id"] == "00000002"
    held.add([row("b", 3)])
    assert held.current()["id"] == "00000003"


def test_last_sign_in_wins_a_subscription(held: Accounts) -> None:
    """M6: a subscription is kept once, by whoever signed in last."""
    held.add([row("a", 1), row("a", 2)])
    held.add([row("b", 1)])
    assert ids(held) == [("00000001", "b", True), ("00000002", "a", False)]


def test_preferred(held: Accounts) -> None:
    """M6: ``login --subscription`` chooses by name or id."""
    held.add([row("a", 1), row("a", 2, title="Wanted")], "wanted")
    assert held.current()["name"] == "Wanted"


def test_logout(held: Accounts) -> None:
    """M6: all subscriptions of a user go; where one was in use, none is afterwards."""
    held.add([row("b", 3)])
    held.add([row("a", 1), row("a", 2)])
    assert len(held.remove("A")) == 2
    assert ids(held) == [("00000003", "b", False)]
    with pytest.raises(CloudError, match=r"No subscription found\. Run 'aztrust account set'"):
        held.current()


def test_nobody(held: Accounts) -> None:
    """M6: az's words where nobody is signed in."""
    with pytest.raises(NotSignedIn, match="Please run 'aztrust login' to setup account"):
        held.current()


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("nope", "Subscription 'nope' not found. Check the spelling and casing and try again."),
        ("same", "Multiple subscriptions with the name 'same' found. Specify the subscription ID."),
    ],
)
def test_current_by_name(held: Accounts, wanted: str, text: str) -> None:
    """M6: az's words where a name fits none or several."""
    held.add([row("a", 1, title="Same"), row("a", 2, title="Same")])
    with pytest.raises(CloudError) as caught:
        held.current(wanted)
    assert str(caught.value) == text


@pytest.mark.parametrize(("wanted", "what"), [("Nope", "doesn't exist"), ("same", "has more than one match")])
def test_choose_by_name(held: Accounts, wanted: str, what: str) -> None:
    """M6: az's words of ``account set``."""
    held.add([row("a", 1, title="Same"), row("a", 2, title="Same")])
    with pytest.raises(CloudError) as caught:
        held.choose(wanted)
    assert str(caught.value) == f"The subscription of '{wanted.lower()}' {what} in cloud 'Lab'."


def test_file_is_the_owners(held: Accounts, config_dir: Path) -> None:
    """M6: nobody else reads who is signed in."""
    held.add([row("a")])
    assert config_dir.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in config_dir.iterdir()} == {0o600}


def test_damaged_file(held: Accounts, config_dir: Path) -> None:
    """M6: half a file is told with its cure."""
    held.add([row("a")])
    path = config_dir / "accounts-lab.json"
    path.write_text(path.read_text()[:20])
    with pytest.raises(CloudError, match="Run 'aztrust account clear'"):
        held.all()


def test_writers_at_once(held: Accounts) -> None:
    """M6: two sign-ins at the same moment both stay."""
    threads = [threading.Thread(target=held.add, args=([row(f"u{n}", n)],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held.all()) == 8
    assert sum(one["isDefault"] for one in held.all()) == 1


def test_directory_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """M6: a directory of somebody else is told with its cure."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AZTRUST_CONFIG_DIR", str(tmp_path / "file" / "own"))
    with pytest.raises(CloudError, match="Set AZTRUST_CONFIG_DIR to a directory of yours"):
        Accounts("lab").add([row("a")])


def test_one_file_for_each_cloud_directory(tmp_path: Path) -> None:
    """M28: two embedded clouds do not share accounts; a name cannot leave the directory."""
    assert accounts.key(EMBEDDED, None) == "Embedded"
    assert accounts.key(EMBEDDED, str(tmp_path / "a")) != accounts.key(EMBEDDED, str(tmp_path / "b"))
    assert accounts.key(Profile("../x", "served", "", "", ""), None) == "___x"


def test_everywhere(held: Accounts) -> None:
    """M6: ``account list --all`` shows every cloud's."""
    held.add([row("a", 1)])
    Accounts("other").add([row("b", 2)])
    assert [one["user"]["name"] for one in accounts.everywhere()] == ["a", "b"]
