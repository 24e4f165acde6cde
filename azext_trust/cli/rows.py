"""What a command is, as data: the rows of every ``commands.py``. Nothing here imports a handler."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Argument:
    """An option of a command, or a positional argument when it has no options.

    Attributes:
        dest: the handler's parameter.
        options: spellings, the first is the one in az's documentation.
        help: one sentence.
        required: it must be given.
        flag: it takes no value.
        many: it takes one value or more; ``*`` also none.
        choices: allowed values; case is ignored.
        boolean: it takes true or false; alone it means true where `bare` is set.
        bare: the value when the option is given without one; None when that is an error.
        number: the value is a whole number.
        default: the value when it is not given.
        repeat: it may be given several times; values are collected.
        key_values: the values are ``key=value`` and become a dict.
    """

    dest: str
    options: tuple[str, ...]
    help: str
    required: bool = False
    flag: bool = False
    many: str = ""
    choices: tuple[str, ...] = ()
    boolean: bool = False
    bare: str | None = None
    number: bool = False
    default: object = None
    repeat: bool = False
    key_values: bool = False


@dataclass(frozen=True)
class Example:
    """An example of a command's help.

    Attributes:
        name: what it does, one sentence.
        text: what to type.
    """

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        name: the words after ``aztrust``.
        handler: ``module:function`` within ``azext_trust.cli``; imported when the command runs.
        summary: one sentence.
        arguments: its options.
        examples: its examples.
        table: JMESPath that shapes the result for ``--output table``, or empty; ``module:function`` within
            ``azext_trust.cli`` where JMESPath is not enough.
        details: what else to know.
    """

    name: str
    handler: str
    summary: str
    arguments: tuple[Argument, ...] = ()
    examples: tuple[Example, ...] = ()
    table: str = ""
    details: str = ""


@dataclass(frozen=True)
class Group:
    """A command group.

    Attributes:
        name: its words.
        summary: one sentence.
    """

    name: str
    summary: str


@dataclass(frozen=True)
class Rows:
    """What a ``commands.py`` offers.

    Attributes:
        groups: command groups with their help.
        commands: commands.
    """

    groups: tuple[Group, ...] = field(default=())
    commands: tuple[Command, ...] = field(default=())


def optional(argument: Argument) -> Argument:
    """Return the argument, not required."""
    return replace(argument, required=False)


def required(argument: Argument) -> Argument:
    """Return the argument, required."""
    return replace(argument, required=True)


def also_under(prefix: str, commands: Iterable[Command], instead_of: str) -> tuple[Command, ...]:
    """Return commands a second time, under another name.

    Args:
        prefix: the words that replace `instead_of`.
        commands: the commands; those whose name does not begin with `instead_of` are left out.
        instead_of: the words to replace.
    """
    return tuple(
        replace(command, name=prefix + command.name[len(instead_of) :])
        for command in commands
        if command.name.startswith(instead_of + " ")
    )


GROUP = Argument("resource_group", ("--resource-group", "-g"), "Name of resource group.")
YES = Argument("yes", ("--yes", "-y"), "Do not prompt for confirmation.", flag=True)
GENERIC_UPDATE = (
    Argument("set_values", ("--set",), "Update an object by specifying a property path and value to set.", many="+",
             repeat=True),
    Argument("add_values", ("--add",), "Add an object to a list of objects: a path and values.", many="+", repeat=True),
    Argument("remove_values", ("--remove",), "Remove a property or an element from a list.", many="+", repeat=True),
    Argument("force_string", ("--force-string",),
             "When using 'set' or 'add', preserve string literals instead of converting to JSON.", flag=True),
)  # fmt: skip
LOCATION = Argument("location", ("--location", "-l"), "Location, for example westeurope.")
TAGS = Argument(
    "tags", ("--tags",), "Space-separated tags: key[=value] [key[=value] ...]. Use '' to clear existing tags.",
    many="*", key_values=True,
)  # fmt: skip
