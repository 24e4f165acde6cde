"""A folder of exported files, recognised by what is in them, to facts (M26)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from azext_trust.audit import recognise
from azext_trust.audit.collected import Collected, tenant
from azext_trust.audit.errors import FileError
from azext_trust.audit.shapes import BadRow
from azext_trust.names.guids import is_guid
from azext_trust.rbac.questions.facts import Unknown
from azext_trust.rbac.questions.held import HeldTenant

MEMBERS = "group-members"
"""The folder of files that do not say whose members they hold: their names do."""
_NO_MEMBERS = "no file group-members/<object id>.json holds its members"
_NO_ASSIGNMENTS = "the export holds no role assignment of this subscription"
Note = Callable[[str], None]
"""Takes what the user should know and is no error."""


@dataclass(frozen=True)
class Document:
    """A file's JSON.

    Attributes:
        path: where it lies.
        text: its text, for places in it.
        rows: its rows.
        listed: it is a list, not one object.
    """

    path: Path
    text: str
    rows: list[Any]
    listed: bool


def load(folder: Path, note: Note = lambda text: None, now: datetime | None = None) -> HeldTenant:
    """Return the tenant that a folder of exports tells of.

    Args:
        folder: where the files are, at any depth, whatever their names.
        note: told of files that hold nothing of use.
        now: the present; the machine's unless given.

    Raises:
        FileError: a file is broken, or the folder cannot be read.
    """
    found = Collected(no_members=_NO_MEMBERS, no_assignments=_NO_ASSIGNMENTS)
    for document in documents(folder, note):
        if not _take(found, document):
            note(f"{document.path} holds nothing that an audit knows.")
    recognise.settle(found)
    if not found.registries:
        found.gaps.general.append(Unknown("registries", "the export holds none (az acr list)"))
    return tenant(found, now or datetime.now(UTC))


def documents(folder: Path, note: Note) -> Iterator[Document]:
    """Yield the folder's files that are JSON, in the order of their names.

    Raises:
        FileError: one is broken.
    """
    if not folder.is_dir():
        raise FileError(f"{folder} is no directory of exported files.")
    passed_by = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            document = _document(path)
            if document is None:
                passed_by.append(path.name)
            else:
                yield document
    if passed_by:
        more = f" and {len(passed_by) - 3} more" if len(passed_by) > 3 else ""
        note(f"No JSON, passed by: {', '.join(passed_by[:3])}{more}.")


def _document(path: Path) -> Document | None:
    named = path.suffix.lower() == ".json"
    try:
        with path.open("rb") as file:
            head = file.read(64)
            if not named and not head.lstrip(_BEFORE).startswith((b"{", b"[")):
                return None
            raw = head + file.read()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None
    text = decoded(path, raw)
    if not text.strip():
        raise FileError(f"{path}: line 1, column 1: the file is empty.")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileError(f"{path}: line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise FileError(f"{path}: it is nested too deep.") from None
    return Document(path, text, unwrapped(value), _is_list(value))


_BEFORE = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
"""What may stand before the first sign of JSON: marks of encodings, and space."""


def decoded(path: Path, raw: bytes) -> str:
    """Return a file's text: UTF-8, or UTF-16 as PowerShell redirects it, each with or without its mark.

    Raises:
        FileError: it is neither.
    """
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise FileError(
            f"{path}: line {line}, column {column}: this is no {encoding.upper()[:6].rstrip('-')} text."
        ) from None


def _is_list(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and bool(_wrapping(value)))


def _wrapping(value: Mapping[str, Any]) -> str:
    """Return the member that holds the rows of a REST answer or of Resource Graph."""
    return next((name for name in ("value", "data", "Data") if isinstance(value.get(name), list)), "")


def unwrapped(value: Any) -> list[Any]:
    """Return the rows of a document: a list, a REST answer (``value``), Resource Graph (``data``), or one object."""
    if isinstance(value, list):
        return value
    name = _wrapping(value)
    return list(value[name]) if name else [value]


def _take(found: Collected, document: Document) -> bool:
    """Take a file's rows; return whether any was of use."""
    group = _group_of(document.path)
    if group:
        found.members.setdefault(group, [])
    useful = bool(group)
    kinds: set[str] = set()
    before = len(found.assignments)
    for at, row in enumerate(document.rows):
        try:
            kind = recognise.take(found, row, group)
        except BadRow as bad:
            line = line_of(document.text, at) if document.listed else 1
            member = next((name for name in row if str(name).lower() == bad.member), bad.member)
            place = f"$[{at}].{member}" if document.listed else f"$.{member}"
            raise FileError(f"{document.path}: line {line}: {place}: {bad.message}.") from None
        kinds.add(kind)
        useful = useful or bool(kind)
    if document.listed and not group:
        found.listed |= kinds & {"User", "Group", "ServicePrincipal"}
    _conclude(found, before)
    return useful or not document.rows


def _group_of(path: Path) -> str:
    return path.stem.lower() if path.parent.name.lower() == MEMBERS and is_guid(path.stem) else ""


def _conclude(found: Collected, before: int) -> None:
    """Draw conclusions from a file of assignments as a whole: who is gone, where its management groups lie."""
    rows = found.assignments[before:]
    named = any(row.principal_name for row in rows)
    for at, row in enumerate(rows, before):
        if named and row.principal_name == "" and not row.display_name:
            # az looks all names up at once: where it found others and not this one, this one is deleted.
            found.assignments[at] = replace(row, deleted=True)
    scopes = {row.row.scope.lower() for row in rows}
    subscriptions = {"/".join(scope.split("/")[:3]) for scope in scopes if scope.startswith("/subscriptions/")}
    groups = {scope for scope in scopes if scope.startswith(_MANAGEMENT)}
    if len(subscriptions) == 1:
        # Inherited assignments in an export of one subscription are of what lies above it.
        found.above.setdefault(subscriptions.pop(), set()).update(groups)
    else:
        found.somewhere |= groups


_MANAGEMENT = "/providers/microsoft.management/managementgroups/"


def line_of(text: str, wanted: int) -> int:
    """Return the line on which an element of a document's list begins, 1 where that cannot be found."""
    start = text.find("[")
    decoder = json.JSONDecoder()
    at = start + 1
    for count in range(wanted + 1):
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        if count == wanted:
            break
        try:
            _, at = decoder.raw_decode(text, at)
        except ValueError:
            return 1
    return text.count("\n", 0, at) + 1
