"""What a handler gets: the cloud it speaks to, made when it is first used, and the user it may ask."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from knack.log import get_logger
from knack.prompting import NoTTYException, prompt_y_n
from knack.util import CLIError

if TYPE_CHECKING:
    from azext_trust.clients.arm import Arm
    from azext_trust.clients.graph import Graph
    from azext_trust.clients.operator import Operator
    from azext_trust.cloud.connect import Connection

logger = get_logger(__name__)


class Context:
    """A command's surroundings.

    Args:
        state: ``--state``: the cloud directory of the embedded cloud.
        subscription: ``--subscription``: id or name.
        quiet: ``--only-show-errors``.
        colour: whether terminals may be written to in colour.
        output: ``--output``.

    Attributes:
        exit_code: what a command that succeeds ends with: an audit's answer may be a no.
    """

    def __init__(
        self, state: str | None = None, subscription: str | None = None, quiet: bool = False, colour: bool = True,
        output: str = "json",
    ) -> None:  # fmt: skip
        self.state = state
        self.quiet = quiet
        self.colour = colour
        self.output = output
        self.exit_code = 0
        self.subscription = subscription

    @cached_property
    def connection(self) -> Connection:
        """The cloud of the active profile."""
        from azext_trust.cloud import profile
        from azext_trust.cloud.connect import Connection

        return Connection(profile.active(), self.state, self.subscription)

    @cached_property
    def arm(self) -> Arm:
        """Resource Manager."""
        from azext_trust.clients.arm import Arm

        return Arm(self.connection)

    @cached_property
    def graph(self) -> Graph:
        """Microsoft Graph."""
        from azext_trust.clients.graph import Graph

        return Graph(self.connection)

    @cached_property
    def operator(self) -> Operator:
        """The operator service of the cloud directory, whatever the active profile is."""
        from azext_trust.clients.operator import Operator
        from azext_trust.cloud.connect import local

        return Operator(local(self.state))

    @cached_property
    def retirement(self) -> str:
        """Where the cloud's retirement switch stands; real Azure stands at 2026."""
        if self.connection.profile.kind == "azure":
            return "2026"
        from azext_trust.clients.operator import Operator

        return str(Operator(self.connection).status()["retirement"])

    def close(self) -> None:
        """Give back what was opened: connections, and the state of an embedded cloud."""
        for name in ("connection", "operator"):
            opened = self.__dict__.get(name)
            if opened is not None:
                opened.close()

    @staticmethod
    def confirm(question: str, yes: bool) -> None:
        """Ask before something that cannot be undone.

        Args:
            question: what will happen.
            yes: the answer was given on the command line.

        Raises:
            CLIError: the user declined, or there is no terminal to ask on.
        """
        if yes:
            return
        try:
            agreed = prompt_y_n(question)
        except NoTTYException:
            raise CLIError("Unable to prompt for confirmation as no tty available. Use --yes.") from None
        if not agreed:
            raise CLIError("Operation cancelled.")
