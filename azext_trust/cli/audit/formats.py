"""Formats of audits besides az's: CSV, JUnit, SARIF, and the report's page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from knack.util import CLIError

from azext_trust import __version__

_LEVELS = {"high": "error", "medium": "warning", "low": "note", "info": "note"}
_BY_SUFFIX = {".html": "html", ".htm": "html", ".csv": "csv", ".json": "json", ".xml": "junit", ".sarif": "sarif"}


def text(result: Any, form: str) -> str:
    """Return a result in a format.

    Raises:
        CLIError: it cannot be written so.
    """
    return _FORMS[form](result)


def save(path: str, result: Any, form: str = "") -> None:
    """Write a result to a file, in the format of its suffix unless one is given.

    Raises:
        CLIError: the suffix is none of a format, or the file cannot be written.
    """
    target = Path(path).expanduser()
    form = form or _BY_SUFFIX.get(target.suffix.lower(), "")
    if not form:
        raise CLIError(f"'{path}' ends with no known format: {', '.join(_BY_SUFFIX)}.")
    written = text(result, form)
    try:
        target.write_text(written, encoding="utf-8", newline="")
    except OSError as error:
        raise CLIError(f"{path} cannot be written: {error.strerror}.") from None


def _rows(result: Any) -> list[Mapping[str, Any]]:
    rows = result.get("value") if isinstance(result, Mapping) else result
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise CLIError("This result is no list of rows: take -o json.")
    return rows


def _csv(result: Any) -> str:
    import csv
    import io

    rows = _rows(result)
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")  # RFC 4180
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return made.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "; ".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in value)
    found = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # A spreadsheet must not take a name for a formula (OWASP, CSV injection).
    return "'" + found if found[:1] in ("=", "+", "-", "@", "\t", "\r") else found


def _json(result: Any) -> str:
    return json.dumps(result, ensure_ascii=False, indent=2) + "\n"


def _html(result: Any) -> str:
    if not isinstance(result, Mapping) or "charts" not in result:
        raise CLIError("html is for 'audit report'.")
    from azext_trust.audit import page

    return page.render(result)


# What pipelines read


def _checks(result: Any) -> list[Mapping[str, Any]]:
    rows = _rows(result)
    if any("rule" not in row and "finding" not in row for row in rows):
        raise CLIError("junit and sarif are for 'audit assert' and 'audit report'.")
    return rows


def _junit(result: Any) -> str:
    from xml.etree import ElementTree

    rows = _checks(result)
    failed = [row for row in rows if not row.get("passed", False)]
    suite = ElementTree.Element("testsuite", name="aztrust audit", tests=str(len(rows)), failures=str(len(failed)))
    for row in rows:
        name = str(row.get("rule") or row.get("finding"))
        case = ElementTree.SubElement(suite, "testcase", classname=_clean(row.get("registry")), name=name)
        if not row.get("passed", False):
            said = _message(row)
            failure = ElementTree.SubElement(case, "failure", message=_clean(said), type=name)
            failure.text = _clean("\n".join(row.get("subjects") or [row.get("evidence", "")]))
    for gap in (result.get("unknown") or []) if isinstance(result, Mapping) else []:
        case = ElementTree.SubElement(suite, "testcase", classname="audit", name=_clean(f"complete: {gap['what']}"))
        ElementTree.SubElement(case, "error", message=_clean(gap["why"]), type="incomplete")
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _clean(value: Any) -> str:
    """Return a text without what XML 1.0 cannot hold."""
    return "".join(sign for sign in str(value or "") if sign >= " " or sign in "\t\n")


def _message(row: Mapping[str, Any]) -> str:
    if "rule" in row:
        return f"{row['message']} (at most {row['limit']})"
    return f"{row['title']}: {row['subject']}: {row['evidence']}"


def _sarif(result: Any) -> str:
    rows = _checks(result)
    names = dict.fromkeys(str(row.get("rule") or row.get("finding")) for row in rows)
    titles = {str(row["finding"]): str(row["title"]) for row in rows if "finding" in row}
    rules = [{"id": name, "shortDescription": {"text": titles.get(name, name)}} for name in names]
    results = [
        {
            "ruleId": row.get("rule") or row.get("finding"), "level": _LEVELS.get(str(row.get("severity")), "error"),
            "message": {"text": _message(row) + (f" Cure: {row['cure']}" if row.get("cure") else "")},
            "locations": [{
                "physicalLocation": {"artifactLocation": {"uri": str(row["scope"]).strip("/") or "tenant"}},
                "logicalLocations": [{"fullyQualifiedName": row["scope"], "kind": "resource"}],
            }],
        }
        for row in rows if not row.get("passed", False)
    ]  # fmt: skip
    driver = {"name": "aztrust", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "results": results}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


_FORMS: Mapping[str, Callable[[Any], str]] = {
    "csv": _csv, "json": _json, "html": _html, "junit": _junit, "sarif": _sarif,
}  # fmt: skip
