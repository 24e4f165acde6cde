"""Rows of ``hosts``."""

from azext_trust.cli.rows import Argument, Command, Example, Group, Rows

_NAMES = Argument("registry", ("--registry", "-r"), "Registries whose login servers are meant. Default: all of the local "
                  "cloud.", many="+")  # fmt: skip
_ADDRESS = Argument("address", ("--address",), "Address where the cloud listens.", default="127.0.0.1")
_PORT = Argument("port", ("--port",), "Port where the cloud listens. Default: that of the server that runs on this cloud "
                 "directory, else 443.", number=True)  # fmt: skip

ROWS = Rows(
    groups=(Group("hosts", "Let this machine's clients find a served cloud by the names of its registries."),),
    commands=(
        Command("hosts show", "hosts.hosts:show", "Show the hosts entries and where each client wants the authority.",
                (_NAMES, _ADDRESS, _PORT)),
        Command("hosts add", "hosts.hosts:add", "Write the hosts entries, and the authority where docker looks for it.",
                (_NAMES, _ADDRESS, _PORT),
                (Example("Let docker on this machine reach the registries of the local cloud.", "sudo aztrust hosts add"),
                 Example("Only one registry, on another address of this machine.",
                         "sudo aztrust hosts add -r myregistry --address 192.0.2.7")),
                details="Needs the right to write /etc/hosts and /etc/docker/certs.d."),
        Command("hosts remove", "hosts.hosts:remove", "Undo all that 'hosts add' wrote."),
    ),
)  # fmt: skip
