"""Who is signed in where: the subscriptions of each cloud, as az keeps them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azext_trust import home
from azext_trust.cloud.errors import CloudError, NotSignedIn
from azext_trust.cloud.profile import Profile

Account = dict[str, Any]
HIDDEN = ("login",)
"""Members of an account that are ours and not shown."""
TENANT_LEVEL = "N/A(tenant level account)"
"""What az calls the account of a tenant in which no subscription was found."""


def key(profile: Profile, state: str | None) -> str:
    """Return the name under which a cloud's accounts and tokens are kept: one for each embedded cloud directory."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", profile.name)
    if profile.kind != "embedded" or home.cloud_dir(state) == home.config_dir() / "cloud":
        return plain
    return f"{plain}-{hashlib.sha256(str(home.cloud_dir(state)).encode()).hexdigest()[:16]}"


class Accounts:
    """The accounts of one cloud.

    Args:
        name: the cloud's `key`.
        cloud: the cloud's name, for texts.
    """

    def __init__(self, name: str, cloud: str = "") -> None:
        self._path = home.config_dir() / f"accounts-{name}.json"
        self._cloud = cloud or name

    def all(self) -> list[Account]:
        """Return all accounts."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise CloudError(
                f"The account file {self._path} cannot be read ({error}). Run 'aztrust account clear'."
            ) from None
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def save(self, rows: list[Account]) -> None:
        """Replace the accounts."""
        try:
            home.write_private(self._path, json.dumps(rows, indent=1).encode())
        except OSError as error:
            raise unwritable(error) from None

    @contextmanager
    def _changing(self) -> Iterator[list[Account]]:
        """Give the accounts to change, while no other process changes them; they are saved at the end."""
        with locked(self._path.with_suffix(".lock")):
            rows = self.all()
            yield rows
            self.save(rows)

    def add(self, rows: list[Account], preferred: str | None = None) -> list[Account]:
        """Add what a sign-in found, as az does: a subscription is kept once, by whoever signed in last.

        Args:
            rows: the accounts.
            preferred: id or name of the subscription to use from now on. Otherwise it stays the one in use where the
                sign-in found it again, or is the first that is enabled.
        """
        with self._changing() as held:
            active = next((row["id"] for row in held if row.get("isDefault")), None)
            merged = {row["id"]: row for row in held} | {row["id"]: row for row in rows}
            for row in merged.values():
                row["isDefault"] = False
            _first(rows, preferred, active)["isDefault"] = True
            held[:] = merged.values()
        return rows

    def remove(self, name: str) -> list[Account]:
        """Forget a user's subscriptions, and return them; none is in use afterwards where one of these was."""
        with self._changing() as held:
            gone = [row for row in held if row["user"]["name"].lower() == name.lower()]
            held[:] = [row for row in held if row not in gone]
        return gone

    def replace(self, rows: list[Account]) -> None:
        """Replace all accounts by newer ones; the subscription in use stays in use where it still is one of them."""
        with self._changing() as held:
            active = next((row["id"] for row in held if row.get("isDefault")), None)
            for row in rows:
                row["isDefault"] = False
            if rows:
                _first(rows, None, active)["isDefault"] = True
            held[:] = rows

    def current(self, wanted: str | None = None) -> Account:
        """Return the account in use, or the one whose subscription id or name this is.

        Raises:
            NotSignedIn: there is none.
            CloudError: no account has this subscription, several have, or none is in use.
        """
        rows = self.all()
        if not rows:
            raise NotSignedIn
        found = _named(rows, wanted) if wanted else [row for row in rows if row.get("isDefault")]
        if len(found) == 1:
            return found[0]
        if not wanted:
            raise CloudError("No subscription found. Run 'aztrust account set' to select a subscription.")
        if found:
            raise CloudError(f"Multiple subscriptions with the name '{wanted}' found. Specify the subscription ID.")
        raise CloudError(f"Subscription '{wanted}' not found. Check the spelling and casing and try again.")

    def choose(self, wanted: str) -> None:
        """Make a subscription the default one.

        Raises:
            CloudError: there is not exactly one of this id or name.
        """
        with self._changing() as rows:
            found = _named(rows, wanted)
            if len(found) != 1:
                what = "has more than one match" if found else "doesn't exist"
                raise CloudError(f"The subscription of '{wanted.lower()}' {what} in cloud '{self._cloud}'.")
            for row in rows:
                row["isDefault"] = row is found[0]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock of the configuration directory, against other processes of this user.

    Raises:
        CloudError: the directory cannot be written.
    """
    try:
        home.private_dir(path.parent)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise unwritable(error) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def unwritable(error: OSError) -> CloudError:
    """Return the error of a configuration directory that cannot be written, with its cure."""
    return CloudError(
        f"The configuration directory {home.config_dir()} cannot be written: {error.strerror}. "
        "Set AZTRUST_CONFIG_DIR to a directory of yours."
    )


def _named(rows: list[Account], wanted: str) -> list[Account]:
    return [row for row in rows if wanted.lower() in (row["id"].lower(), row["name"].lower())]


def _first(rows: list[Account], preferred: str | None, active: object) -> Account:
    """Return the account to use: as asked, else the one in use, else the first that is enabled."""
    asked = _named(rows, preferred) if preferred else []
    kept = [row for row in rows if row["id"] == active]
    enabled = [row for row in rows if row.get("state") == "Enabled"]
    return [*asked, *kept, *enabled, *rows][0]


def everywhere() -> list[Account]:
    """Return the accounts of all clouds."""
    paths = sorted(home.config_dir().glob("accounts-*.json"))
    return [row for path in paths for row in Accounts(path.stem.removeprefix("accounts-")).all()]


def shown(row: Account) -> Account:
    """Return an account as it is printed."""
    return {name: value for name, value in row.items() if name not in HIDDEN}


def listed_form(row: Account) -> Account:
    """Return an account as `account list` and `login` print it: az names the cloud otherwise there."""
    found = shown(row)
    return {"cloudName": found.pop("environmentName"), **found}
