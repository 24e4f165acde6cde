"""Runs every command of fidelity.txt with the real az, each section against a cloud of its own (see scripts/fidelity)."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts.lib.image_push import push

ROOT = Path(__file__).resolve().parents[2]
SCRIPT, SEED, PAGE = (
    ROOT / "scripts/lib/fidelity.txt",
    ROOT / "scripts/lib/fidelity-seed.yaml",
    ROOT / "docs/fidelity.md",
)
SUBSCRIPTION, TENANT = "22222222-2222-2222-2222-222222222222", "11111111-1111-1111-1111-111111111111"
WORKS, REAL, AZ, OUTSIDE, BROKEN = "works", "real error", "az itself", "not offered", "broken"
RANKS = {WORKS: 0, REAL: 0, AZ: 0, OUTSIDE: 1, BROKEN: 2}
AUTOMATION = ("66666666-6666-6666-6666-666666666666", "Auto-mate-it-1")
SIGN_IN = "Clouds and sign-in"
LANES = 2
"""Sections that run at a time: az needs a processor to itself."""
GROUPS = ("account", "acr", "ad", "cloud", "group", "identity", "lock", "login", "logout", "monitor activity-log",
          "provider", "resource", "rest", "role")  # fmt: skip
_TEMPLATE = """{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
"contentVersion": "1.0.0.0", "resources": []}"""
_LIST = """
import sys
from azure.cli.core import get_default_cli
cli = get_default_cli()
names = cli.commands_loader_cls(cli).load_command_table(None)
print("\\n".join(sorted(names)))
"""
_VOLATILE = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?"), "<time>"),
    (re.compile(r"localhost:\d+"), "localhost"),
    (re.compile(r"object at 0x[0-9a-f]+"), "object"),
]

_LACKS = re.compile(
    r"unrecognized arguments|is misspelled or not recognized|not in the '.*' command group|is not a valid value"
)
"""What az says of commands and flags that came later."""
_AFTER = re.compile(r" Code: | Examples from | https://aka\.ms|Trace ID: ")
"""Where az begins to say the same again, or where to read more."""


@dataclass
class Step:
    """A command line, what is expected of it, and what came of it.

    Attributes:
        line: the words after ``az``, with placeholders.
        kind: what must come of it.
        text: a part of the error that must be shown.
        saves: the name that its output is kept under.
        later: az 2.54 does otherwise, by itself.
        result: kind of what came of it; `said` is the error's first line.
    """

    line: str
    kind: str = WORKS
    text: str = ""
    saves: str = ""
    later: bool = False
    result: str = ""
    said: str = ""


@dataclass
class Section:
    """Steps that go together, on one cloud; images are pushed before: registry, and repository with tag."""

    name: str
    steps: list[Step] = field(default_factory=list)
    images: list[tuple[str, str]] = field(default_factory=list)


def read() -> tuple[list[Section], list[tuple[str, str]]]:
    """Return the sections of fidelity.txt, and what is not run: patterns of commands with the reason."""
    sections: list[Section] = []
    left: list[tuple[str, str]] = []
    for line in SCRIPT.read_text().splitlines():
        if line.startswith("== "):
            sections.append(Section(line[3:]))
        elif line.startswith("az "):
            sections[-1].steps.append(Step(line[3:]))
        elif line.startswith("push "):
            registry, image = line.split()[1:]
            sections[-1].images.append((registry, image))
        elif line.startswith("-- "):
            pattern, _, reason = line[3:].partition(": ")
            left.append((pattern, reason))
        elif line == "    in 2.54: otherwise":
            sections[-1].steps[-1].later = True
        elif line.startswith("    saves "):
            sections[-1].steps[-1].saves = line.split()[1]
        elif line.startswith("    "):
            step = sections[-1].steps[-1]
            step.kind, _, step.text = line.strip().partition(":")
            step.text = step.text.strip()
    return [section for section in sections if section.steps], left


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(place: Path) -> Iterator[str]:
    """Serve a cloud of its own and give its origin."""
    ready = place / "ready"
    words = [sys.executable, "-m", "azext_trust", "serve", "--state", str(place / "cloud"), "--seed", str(SEED),
             "--listen", f"127.0.0.1:{_free_port()}", "--ready-file", str(ready)]  # fmt: skip
    with (place / "log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=ROOT)
    try:
        for _ in range(600):
            if ready.exists() and ready.read_text().strip():
                break
            if process.poll() is not None:
                raise SystemExit((place / "log").read_text())
            time.sleep(0.1)
        yield ready.read_text().split()[1]
    finally:
        process.terminate()
        process.wait()


@dataclass
class Done:
    """What came of a command: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


class Az:
    """The real az, with a configuration of its own, on a served cloud: one process that forks for each command."""

    def __init__(self, place: Path, origin: str, older: bool) -> None:
        program = os.environ["AZTRUST_TEST_OLDER_AZ" if older else "AZTRUST_TEST_AZ"]
        (place / "home").mkdir()
        environment = {
            **os.environ, "HOME": str(place / "home"), "AZURE_CONFIG_DIR": str(place / "az"),
            "REQUESTS_CA_BUNDLE": str(place / "cloud/ca/ca.pem"), "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false", "AZURE_CORE_NO_COLOR": "true",
            "AZURE_CORE_LOGIN_EXPERIENCE_V2": "false",
        }  # fmt: skip
        registered = [f"cloud register -n Lab --endpoint-resource-manager {origin}", "cloud set -n Lab"]
        if older:
            # Registering asks the metadata of 2015, which do not tell everything; these name the cloud themselves.
            environment["SSL_CERT_FILE"] = environment["REQUESTS_CA_BUNDLE"]
            environment["ARM_CLOUD_METADATA_URL"] = f"{origin}/metadata/endpoints?api-version=2019-05-01"
            registered = ["cloud set -n aztrust"]
        words = [str(Path(program).with_name("python")), str(ROOT / "scripts/lib/az_forks.py")]
        self.process = subprocess.Popen(
            words, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=place
        )
        for line in (*registered, "login -u owner@contoso.com -p Own-the-cloud-1"):
            done = self.run(shlex.split(line))
            if done.code:
                raise SystemExit(f"az {line}: {done.err}")

    def run(self, words: list[str]) -> Done:
        """Run a command line without a terminal."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return Done(**json.loads(self.process.stdout.readline()))

    def end(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def run_section(section: Section, older: bool = False) -> Section:
    """Run the steps of a section, on a cloud of their own; an older az may lack commands and flags."""
    with tempfile.TemporaryDirectory(prefix="aztrust-fidelity-") as directory:
        place = Path(directory)
        with served(place) as origin:
            for registry, image in section.images:
                push(origin, place / "cloud/ca/ca.pem", registry, image, AUTOMATION)
            az = Az(place, origin, older)
            lab = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab"
            known = {"origin": origin, "port": origin.rsplit(":", 1)[1], "subscription": SUBSCRIPTION, "tenant": TENANT,
                     "lab": lab, "template": str(place / "template.json"), "sources": str(place / "sources")}  # fmt: skip
            (place / "template.json").write_text(_TEMPLATE)
            (place / "sources").mkdir()
            (place / "sources/Dockerfile").write_text("FROM scratch\n")
            for step in section.steps:
                _run(az, step, known)
                if older and step.result == BROKEN and (step.later or _LACKS.search(step.said)):
                    step.result = AZ
            az.end()
        for step in section.steps:
            step.said = step.said.replace(directory, "")
    bad = sum(step.result == BROKEN for step in section.steps)
    print(f"{section.name}: {len(section.steps)} commands, {bad} broken", file=sys.stderr)
    return section


def _run(az: Az, step: Step, known: dict[str, str]) -> None:
    words = [re.sub(r"<(\w+)>", lambda m: known.get(m[1], m[0]), word) for word in shlex.split(step.line)]
    done = az.run(words)
    step.said = _error(done.err) if done.code else ""
    if step.saves and not done.code:
        known[step.saves] = done.out.strip()
    failed_as_told = bool(done.code) and step.text.lower() in done.err.lower()
    good = not done.code if step.kind == WORKS else failed_as_told
    step.result = step.kind if good and "Traceback" not in done.err else BROKEN
    if step.result == BROKEN and not step.said:
        step.said = f"works, though '{step.text}' was expected" if step.kind != WORKS else done.err[:200]


def _error(stderr: str) -> str:
    """Return the error that az shows, in one line, without what is another time otherwise."""
    _, found, text = stderr.partition("ERROR: ")
    line = _AFTER.split(" ".join((text if found else stderr).split()), maxsplit=1)[0][:300]
    for pattern, instead in _VOLATILE:
        line = pattern.sub(instead, line)
    return line


def uncovered(sections: list[Section], left: list[tuple[str, str]]) -> tuple[list[str], dict[str, list[str]]]:
    """Return az's commands of the groups that no step runs: those without a reason, and the others by reason."""
    python = Path(os.environ["AZTRUST_TEST_AZ"]).with_name("python")
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "AZURE_CONFIG_DIR": directory}
        listed = subprocess.run([str(python), "-c", _LIST], text=True, capture_output=True, env=environment, check=True)
    names = [name for name in listed.stdout.splitlines() if any(f"{name} ".startswith(f"{g} ") for g in GROUPS)]
    ran = {
        name
        for name in names
        for section in sections
        for step in section.steps
        if f"{step.line} ".startswith(f"{name} ")
    }
    missing: list[str] = []
    reasons: dict[str, list[str]] = {}
    for name in sorted(set(names) - ran):
        reason = next((reason for pattern, reason in left if re.match(pattern + r"\b", name)), None)
        if reason is None:
            missing.append(name)
        else:
            reasons.setdefault(reason, []).append(name)
    return missing, reasons


def page(sections: list[Section], reasons: dict[str, list[str]]) -> str:
    """Return the page."""
    steps = [step for section in sections for step in section.steps]
    counts = {kind: sum(step.result == kind for step in steps) for kind in RANKS}
    lines = [
        "# Fidelity", "",
        "What az 2.91, unmodified, gets from a served cloud. Written by `scripts/fidelity` from the commands in "
        "`scripts/lib/fidelity.txt`; `scripts/fidelity --check` fails when a row gets worse. `<name>` stands for an id.", "",
        f"{len(steps)} command lines: {counts[WORKS]} work, {counts[REAL]} are refused as Azure refuses them, "
        f"{counts[AZ]} end in az itself, {counts[OUTSIDE]} are not offered, {counts[BROKEN]} broken.",
    ]  # fmt: skip
    for section in sections:
        lines += ["", f"## {section.name}", "", "| command | result |", "|---|---|"]
        lines += [f"| {_code('az ' + step.line)} | {_result(step)} |" for step in section.steps]
    lines += ["", "## Not run here", "", "| commands | why |", "|---|---|"]
    lines += [f"| {', '.join(map(_code, names))} | {reason} |" for reason, names in reasons.items()]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _result(step: Step) -> str:
    return step.result + (f": {_code(step.said.replace('`', chr(39)))}" if step.said else "")


def worse(sections: list[Section]) -> list[str]:
    """Return what got worse since the page was written: a row's kind, or the text of a real error."""
    before = _before(PAGE.read_text(encoding="utf-8"))
    found = []
    for section in sections:
        rows = before.get(section.name, {})
        for step in section.steps:
            # A line may stand there twice: refused first, and later not.
            old, new = next(rows.get(f"az {step.line}".replace("|", "\\|"), iter(())), None), _result(step)
            if old is None:
                continue
            lower = RANKS[step.result] > RANKS[old.partition(":")[0]]
            if lower or (step.kind == REAL and new != old):
                found.append(f"az {step.line}\n  was: {old}\n  is:  {new}")
    return found


def _before(page: str) -> dict[str, dict[str, Iterator[str]]]:
    """Return by section and line the results that a page tells, in its order."""
    found: dict[str, dict[str, Iterator[str]]] = {}
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        name, _, rows = part.partition("\n")
        told: dict[str, list[str]] = {}
        for line, result in re.findall(r"^\| `(az .+?)` \| (.+) \|$", rows, re.MULTILINE):
            told.setdefault(line, []).append(result)
        found[name] = {line: iter(results) for line, results in told.items()}
    return found


def _told(sections: list[Section]) -> int:
    """Print what the older az cannot do although it has the command; tell whether that is anything."""
    steps = [step for section in sections for step in section.steps]
    broken = [step for step in steps if step.result == BROKEN]
    print("\n".join(f"az {step.line}\n  {step.said}" for step in broken))
    print(f"az 2.54: {len(steps)} command lines, {len(broken)} broken")
    return int(bool(broken))


def main() -> int:
    """Run what was asked for, and write or compare the page."""
    parser = argparse.ArgumentParser(description="Run az against served clouds and tabulate what works.")
    parser.add_argument("--check", action="store_true", help="fail when a row got worse; write nothing")
    parser.add_argument("--older", action="store_true", help="with az 2.54; write nothing")
    parser.add_argument("sections", nargs="*", help="only these sections; the page is not written")
    asked = parser.parse_args()
    sections, left = read()
    chosen = [section for section in sections if not asked.sections or section.name in asked.sections]
    if asked.older:
        # What this one changes about its clouds is in tests/wire/test_sign_in_older_az.py.
        chosen = [section for section in chosen if section.name != SIGN_IN]
    # The longest first, so that the lanes end together.
    with ThreadPoolExecutor(LANES) as lanes:
        longest = sorted(chosen, key=lambda section: -len(section.steps))
        list(lanes.map(run_section, longest, [asked.older] * len(longest)))
    if asked.older:
        return _told(chosen)
    missing, reasons = uncovered(sections, left)
    broken = [f"az {s.line}\n  {s.said}" for section in chosen for s in section.steps if s.result == BROKEN]
    for text in (*broken, *(f"az {name}: no line of fidelity.txt runs it" for name in missing)):
        print(text)
    if asked.check:
        found = worse(chosen)
        print("\n".join(found) if found else "No row got worse.")
        return int(bool(found or missing))
    if not asked.sections:
        PAGE.write_text(page(sections, reasons))
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
