"""Measures the evaluator beside cedarpy and pycasbin, and on tenants up to a million assignments; draws the growth."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.rbac import measures

GROWTH = (1_000, 10_000, 100_000, 1_000_000)


def main() -> None:
    """Run the parts, each in a process of its own; print the table, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--parts", nargs="*", default=list(measures.PARTS), choices=list(measures.PARTS), metavar="PART"
    )
    parser.add_argument("--plot", type=Path, help="draw the cost from 1,000 to 1,000,000 assignments into this file")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a limit is not kept")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(measures.run(options.one))
        return
    good = True
    for part in options.parts:
        for row in (measures.Row(**row) for row in json.loads(child(part))):
            good = show(row) and good
    if options.plot:
        draw([json.loads(child(f"growth:{size}")) for size in GROWTH], options.plot)
    sys.exit(options.strict and not good)


def child(part: str) -> str:
    """Run a part in a new process and return what it says."""
    command = [sys.executable, "-m", "benchmarks.rbac.bench", "--one", part]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def show(row: measures.Row) -> bool:
    """Print a figure beside its limit."""
    limit = "" if row.limit is None else f"{'>=' if row.least else '<='} {row.limit:g}"
    mark = "" if row.limit is None else "ok" if row.good() else "MISSED"
    print(f"{row.name:66} {row.value:12.2f} {row.unit:4} {limit:8} {mark}", flush=True)
    return row.good()


def draw(points: list[dict[str, float]], path: Path) -> None:
    """Draw cost over size, both axes logarithmic."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    x = [point["assignments"] for point in points]
    for key, label in (
        ("p50", "decision, p50"), ("p99", "decision, p99"), ("change", "change to decision, slowest"),
        ("who can", "who can sign, one registry"), ("load", "load"),
    ):  # fmt: skip
        axes.plot(x, [point[key] for point in points], marker="o", label=label)
    axes.set(
        xscale="log", yscale="log", xlabel="role assignments", ylabel="seconds", title="Cost of authorization by size"
    )
    axes.grid(True, which="major", alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
    print(f"drawn: {path}")


if __name__ == "__main__":
    main()
