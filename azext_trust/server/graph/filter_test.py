"""Whether an object fits a $filter: case is ignored, as Entra does."""

from __future__ import annotations

from collections.abc import Callable

from azext_trust.server.graph.filter_syntax import Among, Call, Compare, Joined, Lambda, Negated, Node, Value

Body = dict[str, object]
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith, "endswith": str.endswith, "contains": lambda text, part: part in text,
}  # fmt: skip
_ORDER: dict[str, Callable[[str, str], bool]] = {
    "ge": lambda a, b: a >= b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "lt": lambda a, b: a < b,
}  # fmt: skip


def value_at(row: Body, path: str) -> object:
    """Return a member by its path, ``api/requestedAccessTokenVersion``; ``x/$count`` is the length of a list."""
    value: object = row
    for part in path.split("/"):
        if part.lower() == "$count":
            return len(value) if isinstance(value, list) else 0
        if not isinstance(value, dict):
            return None
        value = next((held for name, held in value.items() if name.lower() == part.lower()), None)
    return value


def fits(node: Node, row: Body) -> bool:
    """Tell whether an object fits."""
    if isinstance(node, Joined):
        return (any if node.word == "or" else all)(fits(part, row) for part in node.parts)
    if isinstance(node, Negated):
        return not fits(node.part, row)
    if isinstance(node, Lambda):
        return _over(node, row)
    held = value_at(row, node.path)
    if isinstance(node, Call):
        return isinstance(held, str) and _FUNCTIONS[node.name](held.lower(), node.value.lower())
    if isinstance(node, Among):
        return any(_same(held, value) for value in node.values)
    return _compared(node, held)


def _over(node: Lambda, row: Body) -> bool:
    values = value_at(row, node.path)
    held = values if isinstance(values, list) else []
    inner = node.inner
    if inner is None:
        return bool(held)
    return (all if node.every else any)(fits(inner, {node.variable: value}) for value in held)


def _same(left: object, right: object) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _compared(node: Compare, held: object) -> bool:
    if node.operator in ("eq", "ne"):
        return _same(held, node.value) == (node.operator == "eq")
    if isinstance(held, int | float) and isinstance(node.value, int | float):
        return {"ge": held >= node.value, "le": held <= node.value, "gt": held > node.value}.get(
            node.operator, held < node.value
        )
    return isinstance(held, str) and _ORDER[node.operator](held.lower(), _text(node.value))


def _text(value: Value) -> str:
    return str(value).lower()
