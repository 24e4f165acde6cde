"""The operator service's audit answers, described (OpenAPI 3.1): made from the questions and the rows themselves."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

from azext_trust.rbac import capabilities
from azext_trust.rbac.questions import changes, gates, rows
from azext_trust.rbac.questions.answers import camel
from azext_trust.rbac.questions.asked import ALIASES, Asked
from azext_trust.rbac.questions.facts import Unknown

Schema = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Question:
    """A question as the service offers it.

    Attributes:
        summary: one sentence.
        row: what its rows are.
        takes: its words: members of `Asked`.
        needs: those that must be said.
    """

    summary: str
    row: type
    takes: tuple[str, ...]
    needs: tuple[str, ...] = ()

    @property
    def posts(self) -> bool:
        """Whether its words stand in a body: changes and rules are no query."""
        return bool({"changes", "rules"} & set(self.takes))


_WHERE = ("capability", "action", "registry", "scope", "repository")
QUESTIONS: Mapping[str, Question] = {
    "who-can": Question("Who can do something, at one registry or at all.", rows.HolderRow, (*_WHERE, "indirect")),
    "can": Question("Whether somebody can do something; if not, what is missing and the smallest fix.",
                    rows.VerdictRow, (*_WHERE, "assignee"), ("assignee",)),
    "why": Question("Every path by which somebody can do something, and what was taken away on the way.", rows.PathRow,
                    (*_WHERE, "assignee"), ("assignee",)),
    "what-can": Question("What somebody can, by scope.", rows.GrantRow, ("assignee",), ("assignee",)),
    "what-if": Question("Who would gain and who would lose what by changes; nothing is changed.", rows.ChangeRow,
                        (*_WHERE, "changes"), ("changes",)),
    "replay": Question("Which requests of the activity log would end otherwise under changes.", rows.ReplayRow,
                       ("changes", "assignee", "since"), ("changes",)),
    "least": Question("Which assignments give more than was used, and the smallest roles that keep what was.",
                      rows.LeastRow, ("assignee", "registry", "since")),
    "explain": Question("Why a request was refused, and what to do.", rows.RefusalRow, ("assignee", "correlation_id")),
    "assert": Question("Whether rules about access hold.", rows.CheckRow, ("rules", "baseline", "registry"), ("rules",)),
    "report": Question("What is wrong with access and content trust.", rows.FindingRow, ("registry", "charts")),
}  # fmt: skip


def members(name: str) -> frozenset[str]:
    """Return the words that a question takes, as the wire has them."""
    return frozenset(camel(word) for word in QUESTIONS[name].takes)


@cache
def _described(kind: type) -> dict[str, str]:
    """Return what a dataclass's docstring says of its members."""
    text = inspect.getdoc(kind) or ""
    found = re.split(r"\n(?:    )?(\w+): ", text.partition("Attributes:")[2].replace("\n    ", "\n    "))
    described = {}
    for name, words in zip(found[1::2], found[2::2], strict=False):
        described[name] = " ".join(words.split())
    return described


def schema_of(hint: Any) -> Schema:
    """Return the schema of a member's type."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        options = [schema_of(one) for one in inside if one is not type(None)]
        if len(options) == 1 and "type" in options[0]:
            return {**options[0], "type": [options[0]["type"], "null"]}
        return {"anyOf": [*options, {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": schema_of(inside[0])}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return {"$ref": f"#/components/schemas/{hint.__name__}"}
    return {"type": {str: "string", bool: "boolean", int: "integer"}[hint]}


def row_schema(kind: type) -> Schema:
    """Return the schema of a row: all its members are there, in camelCase."""
    hints, said = typing.get_type_hints(kind), _described(kind)
    listed = {}
    for one in dataclasses.fields(kind):
        listed[camel(one.name)] = {**schema_of(hints[one.name]), "description": said.get(one.name, "")}
    return {
        "type": "object", "description": (inspect.getdoc(kind) or "").partition("\n")[0], "properties": listed,
        "required": list(listed), "additionalProperties": False,
    }  # fmt: skip


_SPECIAL: Mapping[str, Schema] = {
    "capability": {"type": "string", "enum": [*capabilities.names(), *ALIASES]},
    "indirect": {"type": "boolean"},
    "charts": {"type": "boolean"},
    "changes": {"type": "array", "maxItems": 1000, "items": {"$ref": "#/components/schemas/Change"}},
    "rules": {"type": "object", "minProperties": 1, "properties": {
        rule: {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 999999999}, {"type": "boolean"}]}
        for rule in gates.RULES
    }, "additionalProperties": False},
    "baseline": {"type": "array", "items": {"type": "string"}},
}  # fmt: skip


def _word(name: str) -> Schema:
    return dict(_SPECIAL.get(name, {"type": "string", "maxLength": 2048}))


def _operation(name: str, question: Question) -> Schema:
    said = _described(Asked)
    described: Schema = {
        "operationId": name, "summary": question.summary, "security": [{"token": []}],
        "responses": {
            "200": _json({"$ref": f"#/components/schemas/{question.row.__name__}Answer"}, "The rows, and whether they are all."),
            "400": _json(_ERROR, "The question cannot be asked so."), "401": _json(_ERROR, "No token, or none that is good here."),
            "404": _json(_ERROR, "What it is about does not exist."),
        },
    }  # fmt: skip
    if not question.posts:
        described["parameters"] = [
            {"name": camel(word), "in": "query", "required": word in question.needs, "schema": _word(word),
             "description": said.get(word, "")}
            for word in question.takes
        ]  # fmt: skip
        return {"get": described}
    body = {
        "type": "object", "additionalProperties": False, "required": [camel(word) for word in question.needs],
        "properties": {camel(word): {**_word(word), "description": said.get(word, "")} for word in question.takes},
    }  # fmt: skip
    described["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return {"post": described}


def _json(schema: Schema, description: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_ERROR: Schema = {"$ref": "#/components/schemas/Error"}


def _change() -> Schema:
    permissions = {"type": "array", "items": {"type": "object", "properties": {
        name: {"type": "array", "items": {"type": "string"}}
        for name in ("actions", "notActions", "dataActions", "notDataActions")
    }, "additionalProperties": False}}  # fmt: skip
    return {"oneOf": [
        {
            "type": "object", "required": ["change", *kind.needed], "additionalProperties": False,
            "properties": {
                "change": {"const": name},
                **{one: permissions if one == "permissions" else {"type": "string"} for one in kind.needed},
                **{one: {"type": ["string", "null"]} for one in kind.optional},
            },
        }
        for name, kind in changes.KINDS.items()
    ]}  # fmt: skip


def _answer(kind: type) -> Schema:
    """Return the schema of an answer; of a report the tables of its pictures may stand in it."""
    listed: Schema = {
        "complete": {"type": "boolean", "description": "Whether the rows are all there is."},
        "unknown": {"type": "array", "items": {"$ref": "#/components/schemas/Unknown"}},
        "value": {"type": "array", "items": {"$ref": f"#/components/schemas/{kind.__name__}"}},
    }
    needed = list(listed)
    if kind is rows.FindingRow:
        listed["charts"] = {"type": "object", "description": "What the pictures of the report are drawn from."}
    return {"type": "object", "properties": listed, "required": needed, "additionalProperties": False}


def document(origin: str, version: str) -> Schema:
    """Return the whole description.

    Args:
        origin: the cloud's.
        version: the server's.
    """
    kinds = {question.row for question in QUESTIONS.values()}
    schemas = {kind.__name__: row_schema(kind) for kind in (*sorted(kinds, key=str), rows.MissRow, Unknown)}
    schemas |= {f"{kind.__name__}Answer": _answer(kind) for kind in kinds}
    schemas["Change"] = _change()
    schemas["Error"] = {"type": "object", "required": ["error"], "properties": {"error": {
        "type": "object", "required": ["code", "message"],
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
    }}}  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {"title": "aztrust audit", "version": version,
                 "description": "Answers show what the caller may read; what it may not read is named under unknown."},
        "servers": [{"url": origin}],
        "paths": {f"/operator/audit/{name}": _operation(name, question) for name, question in QUESTIONS.items()},
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer",
                                          "description": "An access token for Resource Manager."}},
        },
    }  # fmt: skip
