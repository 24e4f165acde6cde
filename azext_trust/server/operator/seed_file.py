"""The seed file's form (architecture.md, Contracts): unknown keys and wrong values are refused with their line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from azext_trust.server.operator.errors import SeedError
from azext_trust.server.operator.seed_parts import DEFAULT, Seed

__all__ = ["DEFAULT", "Seed", "load", "parse"]


def load(path: Path) -> Seed:
    """Read a seed file.

    Raises:
        SeedError: it cannot be read, is no YAML, or has an unknown key or wrong value; with file and line.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"The seed file {path} cannot be read: {error}.") from None


def parse(text: str, name: str = "seed") -> Seed:
    """Read a seed from its YAML text; `name` stands in messages.

    Raises:
        SeedError: as `load`.
    """
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        _check_keys(tree, name)
        content: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise SeedError(f"{name}{line}: no valid YAML: {getattr(error, 'problem', error)}.") from None
    try:
        return Seed.model_validate(content if content is not None else {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        at = _line(tree, first["loc"])
        what = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        raise SeedError(f"{name}, line {at}: {place or 'the file'}: {what}.") from None


def _check_keys(node: yaml.Node | None, name: str) -> None:
    """Refuse a key that is given twice: YAML would quietly take the last one."""
    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise SeedError(f"{name}, line {key.start_mark.line + 1}: {key.value}: given twice.")
            seen.add(str(key.value))
            children.append(value)
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    for child in children:
        _check_keys(child, name)


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Return the line (from 1) of a place given as keys and list positions; the nearest one that exists."""
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
