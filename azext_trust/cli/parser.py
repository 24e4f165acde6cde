"""Rows become a knack command table; usage errors are told in az's words."""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import yaml
from knack.arguments import CLICommandArgument
from knack.commands import CLICommand, CLICommandsLoader
from knack.help_files import helps
from knack.log import get_logger
from knack.parser import CLICommandParser

from azext_trust.cli import tables
from azext_trust.cli.rows import Argument, Command

logger = get_logger(__name__)


class Parser(CLICommandParser):  # type: ignore[misc]
    """Knack's parser with az's texts."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2: the usage is wrong."""
        logger.error(message)
        self._examples()
        self.exit(2)
        raise AssertionError  # exit does not return

    validation_error = error

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        if action.dest in ("_command", "_subcommand"):
            self._unknown(str(value), list(action.choices))
        name = "/".join(action.option_strings[:1]) or action.dest
        self.error(f"{self.prog}: '{value}' is not a valid value for '{name}'. "
                   f"Allowed values: {', '.join(str(choice) for choice in action.choices)}.")  # fmt: skip

    def _unknown(self, word: str, known: list[str]) -> NoReturn:
        near = difflib.get_close_matches(word, known, cutoff=0.6)
        hint = f"\nDid you mean '{near[0]}' ?" if near else ""
        logger.error("'%s' is misspelled or not recognized by the system.%s", word, hint)
        print(f"\nSee '{self.prog} --help'.", file=sys.stderr)
        self.exit(2)
        raise AssertionError  # exit does not return

    def _examples(self) -> None:
        command = self._defaults.get("func")
        examples = (yaml.safe_load(command.help or "") or {}).get("examples", []) if command else []
        if examples:
            print("\nExamples from command's help:", file=sys.stderr)
        for example in examples:
            print(f"{example['text'].rstrip()}\n{example['name']}\n", file=sys.stderr)
        print(f"See '{self.prog} --help'.", file=sys.stderr)


class Loader(CLICommandsLoader):  # type: ignore[misc]
    """Makes knack's table from the rows that the arguments ask for."""

    def load_command_table(self, args: list[str]) -> dict[str, Any]:
        """Return the commands whose first word was typed, or all."""
        for rows in tables.rows(args[0] if args else ""):
            for group in rows.groups:
                helps[group.name] = json.dumps({"type": "group", "short-summary": group.summary})
            for row in rows.commands:
                self.command_table[row.name] = self._command(row)
        return dict(super().load_command_table(args))

    def load_arguments(self, command: str) -> None:
        """Load the options of one command, or of all when help on a group needs none."""
        found = self.command_table.get(command)
        if found is not None:
            found.load_arguments()

    def _command(self, row: Command) -> Any:
        command = CLICommand(
            self.cli_ctx, row.name, _handler(self.cli_ctx, row.handler), description=row.summary,
            arguments_loader=lambda: [(a.dest, _argument(a)) for a in row.arguments],
            table_transformer=_table(row.table),
        )  # fmt: skip
        command.help = _help(row)
        return command


def _help(row: Command) -> str:
    text: dict[str, Any] = {"type": "command", "short-summary": row.summary, "long-summary": row.details}
    text["examples"] = [{"name": example.name, "text": example.text} for example in row.examples]
    return json.dumps(text)  # JSON is YAML, and much quicker to write


def _table(place: str) -> Any:
    """Return what knack shapes tables with: JMESPath, or a function that is imported when it is called."""
    if not re.fullmatch(r"[\w.]+:\w+", place):
        return place or None
    return lambda result: _function(place)(result)


def _function(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(f"azext_trust.cli.{module}"), name)
    return found


def _handler(cli: Any, place: str) -> Callable[..., Any]:
    def call(arguments: dict[str, Any]) -> Any:
        return _function(place)(cli.context, **arguments)

    return call


def _argument(row: Argument) -> Any:
    options: dict[str, Any] = {"help": row.help, "required": row.required, "default": row.default}
    choices = ("false", "true") if row.boolean else row.choices
    if choices:
        options |= {"choices": _Choices(choices), "type": _folded(choices)}
    elif row.number:
        options["type"] = int
    if row.flag:
        options |= {"action": "store_true", "default": bool(row.default)}
    elif row.repeat:
        options["action"] = "append"
    elif row.key_values:
        options["action"] = _KeyValues
    elif row.boolean:
        options["action"] = _Boolean
    if row.many:
        options["nargs"] = row.many
    elif row.bare is not None:
        options |= {"nargs": "?", "const": row.bare}
    if row.options:
        return CLICommandArgument(row.dest, options_list=list(row.options), **options)
    made = CLICommandArgument(row.dest, metavar=row.dest.upper(), **options)
    # Without options knack makes one of the name: only when they are taken away is it positional.
    made.options_list = []
    return made


class _Choices(tuple[str, ...]):
    """Choices as argparse and knack's completer want them."""

    __slots__ = ()


def _folded(choices: tuple[str, ...]) -> Callable[[str], str]:
    known = {choice.lower(): choice for choice in choices}
    return lambda text: known.get(text.lower(), text)


class _Boolean(argparse.Action):
    """``true`` and ``false`` become booleans."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        setattr(namespace, self.dest, values == "true")


class _KeyValues(argparse.Action):
    """``key=value`` words become a dict."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        setattr(namespace, self.dest, dict(_pairs(values)))


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        if word:
            key, _, value = word.partition("=")
            yield key, value
