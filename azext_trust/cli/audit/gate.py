"""The handler of ``audit assert``: rules for pipelines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.audit.asking import ask, gate
from azext_trust.cli.context import Context

logger = get_logger(__name__)


def check(
    context: Context, max_signers: int | None = None, max_granters: int | None = None, max_pushers: int | None = None,
    no_signer_above_registry: bool = False, no_new_signer_since: str | None = None, no_admin_account: bool = False,
    no_anonymous_pull: bool = False, no_orphans: bool = False, registry: str | None = None, folder: str | None = None,
    live: bool = False, junit: str | None = None, sarif: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Hold rules against every registry; ends with 4 when one is broken.

    Raises:
        CLIError: no rule is named, or a file cannot be read or written.
    """
    rules: dict[str, Any] = {
        "max-signers": max_signers, "max-granters": max_granters, "max-pushers": max_pushers,
        "no-signer-above-registry": no_signer_above_registry or None,
        "no-new-signer-since": bool(no_new_signer_since) or None, "no-admin-account": no_admin_account or None,
        "no-anonymous-pull": no_anonymous_pull or None, "no-orphans": no_orphans or None,
    }  # fmt: skip
    rules = {name: limit for name, limit in rules.items() if limit is not None}
    if not rules:
        raise CLIError("usage error: name at least one rule, for example --max-signers 3.")
    if any(isinstance(limit, int) and limit < 0 for limit in rules.values()):
        raise CLIError("usage error: a limit is 0 or more.")
    baseline = _baseline(no_new_signer_since) if no_new_signer_since else None
    found = ask(context, "assert", folder, live, rules=rules, baseline=baseline, registry=registry)
    broken = [row for row in found["value"] if not row["passed"]]
    for row in broken:
        logger.error("%s: %s (at most %d): %s", row["rule"], row["message"], row["limit"], ", ".join(row["subjects"]))
    _write(found, junit, sarif)
    gate(context, not broken)
    return found


def _write(found: dict[str, Any], junit: str | None, sarif: str | None) -> None:
    from azext_trust.cli.audit import formats

    for path in (junit, sarif):
        if path:
            formats.save(path, found, "junit" if path is junit else "sarif")


def _baseline(path: str) -> list[str]:
    """Return who signed before: of an answer of ``who-can``, or of a list of object ids.

    Raises:
        CLIError: the file cannot be read, or is neither.
    """
    try:
        value = json.loads(Path(path).expanduser().read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CLIError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise CLIError(f"{path} is no JSON: {error}.") from None
    rows = value.get("value") if isinstance(value, dict) else value
    found = []
    for row in rows if isinstance(rows, list) else [None]:
        if isinstance(row, dict) and row.get("principalId"):
            found.append(f"{row.get('registry', '')}/{row['principalId']}".lower())
        elif isinstance(row, str):
            found.append(f"/{row}".lower())
        else:
            raise CLIError(f"{path} is neither an answer of 'audit who-can sign -o json' nor a list of object ids.")
    return found
