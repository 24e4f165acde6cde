"""Who is signed in where: the subscriptions of each cloud, as az keeps them."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from azext_trust import home
from azext_trust.cloud.errors import CloudError, NotSignedIn
from azext_trust.cloud.profile import Profile

Account = dict[str, Any]
HIDDEN = ("login",)
"""Members of an account that are ours and not shown."""


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
    """

    def __init__(self, name: str) -> None:
        self._path = home.config_dir() / f"accounts-{name}.json"

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
            raise CloudError(
                f"The configuration directory {self._path.parent} cannot be written: {error.strerror}. "
                "Set AZTRUST_CONFIG_DIR to a directory of yours."
            ) from None

    def add(self, rows: list[Account]) -> list[Account]:
        """Add what a sign-in found: it replaces the same user's subscriptions, and its first is the default."""
        who = rows[0]["user"]["name"].lower() if rows else ""
        ids = {row["id"] for row in rows}
        kept = [r for r in self.all() if r["user"]["name"].lower() != who and r["id"] not in ids]
        for row in kept:
            row["isDefault"] = False
        for at, row in enumerate(rows):
            row["isDefault"] = at == 0
        self.save([*kept, *rows])
        return rows

    def current(self, wanted: str | None = None) -> Account:
        """Return the account in use, or the one whose subscription id or name this is.

        Raises:
            NotSignedIn: there is none.
            CloudError: no account has this subscription.
        """
        rows = self.all()
        if not rows:
            raise NotSignedIn
        if wanted:
            found = [r for r in rows if wanted.lower() in (r["id"].lower(), r["name"].lower())]
            if len(found) != 1:
                raise CloudError(
                    f"The subscription of '{wanted}' doesn't exist in cloud '{rows[0]['environmentName']}'."
                    if not found
                    else f"Multiple subscriptions with the name '{wanted}' found. Specify the subscription ID."
                )
            return found[0]
        return next((row for row in rows if row.get("isDefault")), rows[0])

    def choose(self, wanted: str) -> None:
        """Make a subscription the default one."""
        chosen, rows = self.current(wanted), self.all()
        for row in rows:
            row["isDefault"] = row["id"] == chosen["id"]
        self.save(rows)


def shown(row: Account) -> Account:
    """Return an account as it is printed."""
    return {name: value for name, value in row.items() if name not in HIDDEN}


def listed_form(row: Account) -> Account:
    """Return an account as `account list` and `login` print it: az names the cloud otherwise there."""
    found = shown(row)
    return {"cloudName": found.pop("environmentName"), **found}
