"""The handler of ``acr login``: the registry's own token for docker, cut anew with today's roles (M11)."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from knack.log import get_logger
from knack.util import CLIError

from azext_trust.cli.acr.access import login_credential, login_server
from azext_trust.cli.context import Context
from azext_trust.clients.registry import NOBODY, Credential

logger = get_logger(__name__)
_NOTES = (
    "Note: The token in both the accessToken and refreshToken fields is an ACR Refresh Token, not an ACR Access Token. This "
    "ACR Refresh Token cannot be used directly to authenticate with registry APIs such as pushing/pulling images and listing "
    "repositories/tags. This ACR Refresh Token must be subsequently exchanged for an ACR Access."
    "Please see https://aka.ms/acr/auth/oauth",
    "You can perform manual login using the provided refresh token below, for example: "
    f"'docker login loginServer -u {NOBODY} -p refreshToken'",
)


def login(
    context: Context, name: str, username: str | None = None, password: str | None = None, expose_token: bool = False,
    suffix: str | None = None, resource_group: str | None = None,
) -> dict[str, Any] | None:  # fmt: skip
    """Sign docker in to a registry, or show the token.

    Raises:
        CLIError: docker cannot be run or refuses; or options that exclude each other.
    """
    if expose_token and (username or password):
        raise CLIError("`--expose-token` cannot be combined with `--username` or `--password`.")
    command = "" if expose_token else _docker(name)
    server = login_server(context, name, username, password, suffix, resource_group)
    credential = login_credential(server)
    if expose_token:
        for note in _NOTES:
            logger.warning(note)
        token = credential.password
        return {"loginServer": server.host, "username": NOBODY, "accessToken": token, "refreshToken": token}
    _sign_in(command, server.host, credential)
    return None


def _docker(name: str) -> str:
    """Return the docker command that works.

    Raises:
        CLIError: there is none, or its daemon does not answer.
    """
    tips = (
        f"You may want to use 'aztrust acr login -n {name} --expose-token' to get a refresh token, which does not require "
        "Docker to be installed."
    )
    command = os.environ.get("DOCKER_COMMAND") or "docker"
    try:
        done = subprocess.run([command, "ps"], capture_output=True, text=True, check=False)
    except OSError as error:
        logger.warning(tips)
        raise CLIError(f"An error occurred: DOCKER_COMMAND_ERROR\nPlease verify if Docker client is installed and running. "
                       f"{error}") from None  # fmt: skip
    if done.returncode:
        logger.warning(tips)
        raise CLIError(f"An error occurred: DOCKER_COMMAND_ERROR\n{done.stderr.strip()}")
    return command


def _sign_in(command: str, host: str, credential: Credential) -> None:
    done = subprocess.run(
        [command, "login", "--username", credential.username, "--password-stdin", host], input=credential.password,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise CLIError(f"Login failed.\n{done.stderr.strip()}")
    # docker says that the password is kept unencrypted; everything else it says there is worth reading.
    for line in done.stderr.splitlines():
        logger.warning(line)
    print(done.stdout.strip() or "Login Succeeded")
