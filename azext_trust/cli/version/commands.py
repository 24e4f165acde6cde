"""Row of ``version``."""

from azext_trust.cli.rows import Command, Rows

ROWS = Rows(commands=(Command("version", "version.version:show", "Show the versions of aztrust and what it runs on."),))
