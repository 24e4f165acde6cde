"""An answer: rows, whether they are all, and what is not known."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from azext_trust.rbac.questions.facts import Unknown


class AskError(Exception):
    """A question cannot be asked so; the message says what is wrong."""


class NotThere(AskError):
    """What a question is about does not exist."""


@dataclass(frozen=True)
class Answer:
    """Rows of one kind.

    Attributes:
        value: the rows, dataclasses of `rows`.
        unknown: what could not be read; empty for a complete answer.
    """

    value: Sequence[Any] = ()
    unknown: tuple[Unknown, ...] = field(default=())

    @property
    def complete(self) -> bool:
        """Whether everything that bears on the answer was seen."""
        return not self.unknown

    def document(self) -> dict[str, object]:
        """Return it as JSON has it: ``complete``, ``unknown``, ``value``, keys in camelCase."""
        return {
            "complete": self.complete,
            "unknown": [as_json(row) for row in self.unknown],
            "value": [as_json(row) for row in self.value],
        }


def answer(rows: Iterable[Any], unknown: Iterable[Unknown]) -> Answer:
    """Return an answer, each gap named once."""
    return Answer(list(rows), tuple(dict.fromkeys(unknown)))


def camel(name: str) -> str:
    """Return a field's name as JSON has it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@cache
def _fields(kind: type[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, camel(one.name)) for one in dataclasses.fields(kind))


def as_json(value: Any) -> Any:
    """Return a row, or what a row holds, as JSON has it."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [as_json(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: as_json(getattr(value, field)) for field, name in _fields(type(value))}
    return value
