"""Trust data for people: docker's own layout, and rows of tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tabulate import tabulate

_SHORT = 12
"""docker shows so many digits of a signer's key."""


def inspected(row: dict[str, Any]) -> str:
    """Return what ``docker trust inspect --pretty`` prints of a repository."""
    name, rows = row["Name"], row["SignedTags"]
    parts = [_signatures(name, rows)]
    if row["Signers"]:
        listed = ((one["Name"], ", ".join(key["ID"][:_SHORT] for key in one["Keys"])) for one in row["Signers"])
        parts.append(f"List of signers and their keys for {name}\n\n{_columns(('SIGNER', 'KEYS'), listed)}\n")
    keys = {one["Name"]: ", ".join(key["ID"] for key in one["Keys"]) for one in row["AdministrativeKeys"]}
    parts.append(
        f"Administrative keys for {name}\n\n  Repository Key:\t{keys['Repository']}\n  Root Key:\t{keys['Root']}\n"
    )
    return "\n" + "\n".join(parts) + "\n"


def _signatures(name: str, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return f"\nNo signatures for {name}\n\n"
    listed = (
        (one["SignedTag"], one["Digest"], ", ".join(_signer(signer) for signer in one["Signers"])) for one in rows
    )
    return f"Signatures for {name}\n\n{_columns(('SIGNED TAG', 'DIGEST', 'SIGNERS'), listed)}\n"


def _signer(name: str) -> str:
    return f"({name})" if name == "Repo Admin" else name


def _columns(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    return tabulate(rows, list(head), tablefmt="plain", disable_numparse=True) + "\n"


# Tables


def tags(shown: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the rows of a table: each signed tag of what was inspected."""
    return [
        {"SIGNED TAG": f"{row['Name'].partition('@')[0]}" if ":" in row["Name"].rpartition("/")[2]
         else f"{row['Name']}:{one['SignedTag']}", "DIGEST": one["Digest"],
         "SIGNERS": ", ".join(_signer(signer) for signer in one["Signers"])}
        for row in shown for one in row["SignedTags"]
    ]  # fmt: skip


def stands(shown: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the rows of a table: how repositories stand."""
    return [
        {"REPOSITORY": row["repository"], "SIGNED": "yes" if row["signed"] else "no",
         "TAGS": str(row.get("tags", "")), "SIGNERS": ", ".join(row.get("signers", ())),
         "EXPIRES": str(row.get("expires") or "")[:10], "KEYS HERE": ", ".join(row.get("keysHeld", ())),
         "PROBLEM": row.get("problem") or ", ".join(row.get("warnings", ()))}
        for row in shown
    ]  # fmt: skip


def under_lost(shown: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of a table: what is signed under a lost root key."""
    return [
        {"REPOSITORY": row["repository"], "TAG": tag["tag"], "DIGEST": tag["digest"]}
        for row in shown["repositories"] for tag in row["tags"]
    ]  # fmt: skip
