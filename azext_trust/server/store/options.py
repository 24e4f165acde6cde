"""How the cloud behaves where the real one can behave in more than one way: kept in the state, set by seed or operator."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import cast

from sqlmodel import Session

from azext_trust.server.store import facts

_FACT = "options"


@dataclass(frozen=True, slots=True)
class Options:
    """The options, with Azure's defaults.

    Attributes:
        long_running_seconds: how long creating and deleting a registry takes for whoever polls; 0: done at once.
        requests_per_minute: ARM requests of each kind (reads, writes, deletes) that one caller may make within a
            minute and one subscription; 0: as many as it likes.
        users_register_applications: any user may register applications (Entra: "Users can register applications").
        users_create_groups: any user may create security groups (Entra: "Users can create security groups").
        downgrade_erases_trust: leaving Premium switches content trust off and erases it, instead of being refused.
    """

    long_running_seconds: float = 0
    requests_per_minute: int = 0
    users_register_applications: bool = True
    users_create_groups: bool = True
    downgrade_erases_trust: bool = False


class OptionError(ValueError):
    """An option that does not exist, or a value it cannot have."""


def get(session: Session) -> Options:
    """Return the options in force."""
    text = facts.get(session, _FACT)
    return Options(**json.loads(text)) if text else Options()


def put(session: Session, options: Options) -> None:
    """Set the options."""
    facts.put(session, _FACT, json.dumps(asdict(options)))


def changed(options: Options, given: dict[str, object]) -> Options:
    """Return the options with some of them changed.

    Args:
        options: what holds.
        given: by wire name, ``usersRegisterApplications``.

    Raises:
        OptionError: no such option, or a value of another kind.
    """
    known = {wire_name(field.name): field.name for field in fields(Options)}
    wanted: dict[str, object] = {}
    for name, value in given.items():
        if name not in known:
            raise OptionError(f"There is no option '{name}'. Options are {', '.join(known)}.")
        now = getattr(options, known[name])
        if isinstance(now, bool) != isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise OptionError(f"The option '{name}' cannot be '{value}'.")
        wanted[known[name]] = type(now)(value)
    return replace(options, **wanted)  # type: ignore[arg-type]  # each has its field's type


def wire_name(name: str) -> str:
    """Return an option's name as seed files and the operator service spell it."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def shown(options: Options) -> dict[str, object]:
    """Return the options by wire name."""
    return {wire_name(name): value for name, value in cast(dict[str, object], asdict(options)).items()}
