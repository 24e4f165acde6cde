"""Times whole commands of ``aztrust audit``: beside ``az version``, over a large export, and the report of a large cloud."""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.audit import exports, registries
from benchmarks.cli import bench as cli

ASSIGNMENTS, REGISTRIES, TAGS = 100_000, 1_000, 10
"""Of the export; of the report: registries, and signed tags in each."""


@dataclass(frozen=True)
class Figure:
    """A figure and its limit: not more."""

    name: str
    value: float
    unit: str
    limit: float

    @property
    def good(self) -> bool:
        """Whether it keeps the limit."""
        return self.value <= self.limit


def main() -> None:
    """Run the parts and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--az", required=True, help="the az to compare with")
    parser.add_argument("--aztrust", required=True)
    parser.add_argument("--runs", type=int, default=15, help="runs of each short command (default 15)")
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS), metavar="PART")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a limit is not kept")
    options = parser.parse_args()
    good = True
    for part in options.parts:
        with tempfile.TemporaryDirectory() as name:
            for figure in PARTS[part](options, Path(name)):
                good = good and figure.good
                mark = "ok" if figure.good else "MISSED"
                print(f"{figure.name:66} {figure.value:10.2f} {figure.unit:5} <= {figure.limit:<8g} {mark}", flush=True)
    sys.exit(options.strict and not good)


def command(options: argparse.Namespace, folder: Path) -> Iterator[Figure]:
    """Compare who-can on a served cloud with ``az version``, run in turn."""
    (folder / "seed.yaml").write_text(cli.SEED)
    server, origin = cli.serve(options.aztrust, folder)
    try:
        az, served, _ = cli.programs(options, folder, origin)
        asked = ("audit", "who-can", "sign", "-r", "myregistry")
        pairs = [(az.run("version"), served.run(*asked)) for _ in range(options.runs + 1)][1:]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(15)
    theirs, ours = (sorted(column)[len(pairs) // 2] for column in zip(*pairs, strict=True))
    yield Figure(f"who-can sign -r R, served: {ours:.3f} s; az version: {theirs:.3f} s", ours / theirs, "x", 1.5)


def exported(options: argparse.Namespace, folder: Path) -> Iterator[Figure]:
    """Audit a large export: one question, and the report as a page."""
    size = exports.write(folder / "export", ASSIGNMENTS)
    title = f"export of {ASSIGNMENTS:,} assignments ({size / 1e6:.0f} MB)"
    source = ("--from", str(folder / "export"))
    took, _ = measured(options, folder, "audit", "who-can", "sign", "-r", "registry7", *source)
    yield Figure(f"{title}: who-can sign -r R", took, "s", 30)
    took, memory = measured(options, folder, "audit", "report", *source, "-f", str(folder / "report.html"))
    yield Figure(f"{title}: report", took, "s", 30)
    print(f"{'':66} {memory:10.0f} MiB; page {(folder / 'report.html').stat().st_size / 1e6:.2f} MB")


def report(options: argparse.Namespace, folder: Path) -> Iterator[Figure]:
    """Make the full report of a large cloud: embedded, so that its time and memory are all in one process."""
    registries.fill(folder / "cloud", REGISTRIES, TAGS)
    page = folder / "report.html"
    took, memory = measured(options, folder, "audit", "report", "--from", str(folder / "cloud"), "-f", str(page))
    title = f"report of {REGISTRIES:,} registries, {REGISTRIES * TAGS:,} signed tags"
    yield Figure(title, took, "s", 3)
    yield Figure(f"{title}: memory", memory, "MiB", 300)
    yield Figure(f"{title}: page", page.stat().st_size / 1e6, "MB", 5)


def measured(options: argparse.Namespace, folder: Path, *arguments: str) -> tuple[float, float]:
    """Run aztrust; return seconds, and the largest memory of any command so far (MiB).

    Raises:
        SystemExit: it failed.
    """
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "AZTRUST_CONFIG_DIR": str(folder / "own")}
    with (folder / "out").open("w") as out:
        began = time.perf_counter()
        done = subprocess.run([options.aztrust, *arguments, "-o", "json"], env=env, stdout=out, stderr=subprocess.PIPE,
                              text=True)  # fmt: skip
        took = time.perf_counter() - began
    if done.returncode not in (0, 5):
        sys.exit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


PARTS: dict[str, Callable[[argparse.Namespace, Path], Iterator[Figure]]] = {
    "report": report, "command": command, "export": exported,
}  # fmt: skip

if __name__ == "__main__":
    main()
