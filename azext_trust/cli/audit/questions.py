"""The handlers of ``audit``'s questions."""

from __future__ import annotations

from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.audit.asking import ask, ended, gate
from azext_trust.cli.context import Context

logger = get_logger(__name__)
Answer = dict[str, Any]


def who_can(
    context: Context, capability: str | None = None, action: str | None = None, registry: str | None = None,
    scope: str | None = None, repository: str | None = None, indirect: bool = False, folder: str | None = None,
    live: bool = False,
) -> Answer:  # fmt: skip
    """Return who can do something."""
    found = ask(context, "who-can", folder, live, capability=capability, action=action, registry=registry, scope=scope,
                repository=repository, indirect=indirect)  # fmt: skip
    if not found["value"] and not found["unknown"]:
        # An empty table prints nothing at all: that is an answer here, and a grave one.
        place = next((f" at {name}" for name in (repository, registry, scope) if name), "")
        logger.warning("Nobody can %s%s.", capability or action, place)
    return found


def can(
    context: Context, assignee: str, capability: str | None = None, action: str | None = None,
    registry: str | None = None, scope: str | None = None, repository: str | None = None, folder: str | None = None,
    live: bool = False,
) -> Answer:  # fmt: skip
    """Return whether somebody can do something; ends with 4 when not."""
    found = ask(context, "can", folder, live, capability=capability, action=action, registry=registry, scope=scope,
                repository=repository, assignee=assignee)  # fmt: skip
    gate(context, any(row["allowed"] for row in found["value"]))
    return found


def why(
    context: Context, assignee: str, capability: str | None = None, action: str | None = None,
    registry: str | None = None, scope: str | None = None, repository: str | None = None, folder: str | None = None,
    live: bool = False,
) -> Answer:  # fmt: skip
    """Return every path to a right, and what was taken away on the way."""
    return ask(context, "why", folder, live, capability=capability, action=action, registry=registry, scope=scope,
               repository=repository, assignee=assignee)  # fmt: skip


def what_can(context: Context, assignee: str, folder: str | None = None, live: bool = False) -> Answer:
    """Return what somebody can, by scope."""
    return ask(context, "what-can", folder, live, assignee=assignee)


def what_if(
    context: Context, changes: str | None = None, capability: str | None = None, action: str | None = None,
    registry: str | None = None, folder: str | None = None, live: bool = False, add: list[list[str]] | None = None,
    remove: list[str] | None = None, delete_principal: list[str] | None = None,
) -> Answer:  # fmt: skip
    """Return who would gain and who would lose what."""
    with _Changes(changes, add, remove, delete_principal) as rows:
        return ask(context, "what-if", folder, live, capability=capability, action=action, registry=registry,
                   changes=rows)  # fmt: skip


def replay(
    context: Context, changes: str | None = None, assignee: str | None = None, since: str | None = None,
    folder: str | None = None, live: bool = False, add: list[list[str]] | None = None,
    remove: list[str] | None = None, delete_principal: list[str] | None = None,
) -> Answer:  # fmt: skip
    """Return which requests of the log would end otherwise."""
    with _Changes(changes, add, remove, delete_principal) as rows:
        found = ask(context, "replay", folder, live, changes=rows, assignee=assignee, since=since)
    logger.warning("%s", _summary(found["value"]))
    return found


_WORDS = {"push": "push", "trustedCollections": "publication of signatures", "artifacts": "deletion"}


def _summary(rows: list[Answer]) -> str:
    failed: dict[str, int] = {}
    for row in rows:
        if row["would"] == "Denied":
            what = next((text for part, text in _WORDS.items() if f"/{part}/" in row["action"]), row["action"])
            failed[what] = failed.get(what, 0) + 1
    told = [f"{count} x {what}" for what, count in sorted(failed.items(), key=lambda pair: -pair[1])]
    passed = sum(1 for row in rows if row["would"] == "Allowed")
    text = f"Would have failed: {', '.join(told) or 'nothing that passed'}."
    return f"{text} Would have passed: {passed} refused." if passed else text


class _Changes:
    """The changes of a command line; an error of the service that names one of them names its line."""

    def __init__(
        self, path: str | None, add: list[list[str]] | None, remove: list[str] | None, gone: list[str] | None
    ) -> None:  # fmt: skip
        self._path = path
        self._said = [*map(_added, add or ())]
        self._said += [{"change": "remove-assignment", "id": name} for name in remove or ()]
        self._said += [{"change": "delete-principal", "principalId": name} for name in gone or ()]

    def __enter__(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        if self._path is not None:
            from azext_trust.audit.change_file import ChangeFile

            self._file = ChangeFile(self._path)
            rows += self._file.rows
        rows += self._said
        if not rows:
            raise CLIError(
                "usage error: --changes FILE | --add ASSIGNEE ROLE SCOPE | --remove ID | --delete-principal WHO"
            )
        return rows

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        import re

        found = re.match(r"change (\d+)(?: \((\w+)\))?: (.*)", str(error), re.DOTALL) if error is not None else None
        if found is None or self._path is None or int(found[1]) > len(self._file.rows):
            return
        line = self._file.line(int(found[1]) - 1, found[2] or "")
        member = f"{found[2]}: " if found[2] else ""
        raise CLIError(f"{self._path}: line {line}: {member}{found[3]}") from None


def _added(words: list[str]) -> dict[str, Any]:
    if len(words) != 3:
        raise CLIError("usage error: --add ASSIGNEE ROLE SCOPE")
    return {"change": "add-assignment", "principalId": words[0], "role": words[1], "scope": words[2]}


def diff(
    context: Context, folder: str, to: str | None = None, capability: str | None = None, action: str | None = None,
    registry: str | None = None,
) -> Answer:  # fmt: skip
    """Return who gained and who lost what since an export; ends with 4 when anybody did."""
    from azext_trust.audit import source

    words = {"capability": capability, "action": action, "registry": registry}
    said = {name: value for name, value in words.items() if value}
    found = ended(context, source.diff(folder, to, said, connection=lambda: context.connection, note=logger.warning))
    gate(context, not found["value"])
    return found


def least(
    context: Context, assignee: str | None = None, registry: str | None = None, since: str | None = None,
    folder: str | None = None, live: bool = False,
) -> Answer:  # fmt: skip
    """Return which assignments give more than was used."""
    return ask(context, "least", folder, live, assignee=assignee, registry=registry, since=since)


def explain(
    context: Context, last_denial: bool = False, correlation_id: str | None = None, assignee: str | None = None,
    folder: str | None = None, live: bool = False,
) -> Answer:  # fmt: skip
    """Explain a refusal.

    Raises:
        CLIError: neither the last one nor one by its correlation id is wanted.
    """
    if last_denial == bool(correlation_id):
        raise CLIError("usage error: --last-denial | --correlation-id ID")
    return ask(context, "explain", folder, live, correlation_id=correlation_id, assignee=assignee)


def report(
    context: Context, registry: str | None = None, file: str | None = None, folder: str | None = None,
    live: bool = False,
) -> Answer:  # fmt: skip
    """Return what is wrong with access and content trust; as a page with pictures when that is wanted."""
    page = context.output == "html" or bool(file and file.lower().endswith((".html", ".htm")))
    found = ask(context, "report", folder, live, registry=registry, charts=page)
    if file:
        from azext_trust.cli.audit import formats

        formats.save(file, found)
        found.pop("charts", None)
    return found
