"""``--set``, ``--add`` and ``--remove`` of az's update commands, on the object that was read."""

from __future__ import annotations

import json
import re
from typing import Any

from knack.util import CLIError

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def apply(
    target: dict[str, Any], sets: list[list[str]], adds: list[list[str]], removes: list[list[str]], raw: bool
) -> None:
    """Change an object in place.

    Args:
        target: the object.
        sets: for each ``--set`` its ``path=value`` words.
        adds: for each ``--add`` a path and values.
        removes: for each ``--remove`` a path, perhaps an index.
        raw: keep values as text (``--force-string``).

    Raises:
        CLIError: a path leads nowhere, or a word has no ``=``.
    """
    for words in sets:
        for word in words:
            path, equals, value = word.partition("=")
            if not equals or not path:
                raise CLIError(f"usage error: --set property1.property2=<value>: '{word}' is not of this form.")
            _set(target, path, _value(value, raw))
    for words in adds:
        _add(target, words, raw)
    for words in removes:
        _remove(target, words)


def _value(text: str, raw: bool) -> Any:
    if raw:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _parts(path: str) -> list[str | int]:
    return [int(index) if index else name for name, index in _PART.findall(path)]


def _inner(target: Any, parts: list[str | int], path: str) -> Any:
    for part in parts:
        try:
            target = target[part]
        except (KeyError, IndexError, TypeError):
            raise CLIError(f"Couldn't find '{part}' in '{path}'.") from None
    return target


def _set(target: dict[str, Any], path: str, value: Any) -> None:
    *above, last = _parts(path)
    holder: Any = _inner(target, above, path)
    in_list = isinstance(holder, list) and isinstance(last, int) and last < len(holder)
    if not in_list and not isinstance(holder, dict):
        raise CLIError(f"Couldn't find '{last}' in '{path}'.")
    holder[last] = value


def _add(target: dict[str, Any], words: list[str], raw: bool) -> None:
    if len(words) < 2:
        raise CLIError("usage error: --add property.listProperty <key=value, string or JSON string>")
    holder = _inner(target, _parts(words[0]), words[0])
    if not isinstance(holder, list):
        raise CLIError(f"'{words[0]}' is not a list.")
    pairs = [word.partition("=") for word in words[1:]]
    if all(equals and not word.startswith(("{", "[")) for (_, equals, _), word in zip(pairs, words[1:], strict=True)):
        holder.append({key: _value(value, raw) for key, _, value in pairs})
    else:
        holder.extend(_value(word, raw) for word in words[1:])


def _remove(target: dict[str, Any], words: list[str]) -> None:
    parts = _parts(words[0]) + [int(word) for word in words[1:] if word.isdigit()]
    holder = _inner(target, parts[:-1], words[0])
    try:
        del holder[parts[-1]]
    except (KeyError, IndexError, TypeError):
        raise CLIError(f"Couldn't find '{parts[-1]}' in '{words[0]}'.") from None
