"""One clock (issue: one clock for everything)."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import azext_trust.server
from azext_trust.server.store import clock

_ASKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
def test_a_moment_comes_back(moment: datetime) -> None:
    """What is written can be read."""
    assert clock.from_text(clock.to_text(moment)) == moment


@pytest.mark.parametrize(
    "text",
    ["2028-03-31T00:00:00Z", "2028-03-31", "2028-03-31T02:00:00+02:00", "2028-03-31 00:00",
     "2028-03-31T00:00:00.0000000Z"],
)  # fmt: skip
def test_people_write_moments_in_many_ways(text: str) -> None:
    """ISO 8601 in its forms; without an offset it is UTC."""
    assert clock.from_iso(text) == datetime(2028, 3, 31, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "2028-13-01", "1e9"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    """With the error of a wrong value."""
    with pytest.raises(ValueError, match=r"."):
        clock.from_iso(text)


def test_the_clock_stands_or_runs_ahead() -> None:
    """Frozen wins over the offset."""
    assert clock.shifted(99, "2028-03-31T00:00:00.0000000Z") == datetime(2028, 3, 31, tzinfo=UTC)
    assert timedelta(0) <= clock.shifted(60, None) - clock.machine() - timedelta(seconds=59) < timedelta(seconds=2)


def _calls(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    found = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [name for func in found if any((name := ast.unparse(func)).endswith(asks) for asks in _ASKS)]


def test_nobody_else_asks_for_the_time() -> None:
    """One clock for everything: the server asks the machine in one place."""
    root = Path(azext_trust.server.__file__).parent
    asking = {str(path.relative_to(root)): calls for path in root.rglob("*.py") if (calls := _calls(path))}
    assert asking == {"store/clock.py": ["datetime.now"]}
