"""From a registry's name to its login server, and with which credential (az's own order: account, admin, question)."""

from __future__ import annotations

from knack.log import get_logger
from knack.prompting import NoTTYException, prompt, prompt_pass
from knack.util import CLIError

from azext_trust.cli.acr.names import checked
from azext_trust.cli.context import Context
from azext_trust.clients.registry import NOBODY, Credential, LoginServer, NoToken
from azext_trust.cloud.errors import CloudError, HttpError

logger = get_logger(__name__)
_AAD = "Unable to get AAD authorization tokens with message"
_ADMIN = "Unable to get admin user credentials with message"


def login_server(
    context: Context, name: str, username: str | None = None, password: str | None = None, suffix: str | None = None,
    resource_group: str | None = None,
) -> LoginServer:  # fmt: skip
    """Return a registry's login server, asked with the credential that works.

    Args:
        context: the cloud.
        name: the registry.
        username: of a token, the admin account or a service principal; the signed-in account unless given.
        password: asked for when only the user name is given.
        suffix: the hash of a login server whose registry may not be read.
        resource_group: its resource group.

    Raises:
        CLIError: a user name without a password and nobody to ask; or nothing works.
        CloudError: the registry or its login server cannot be found.
    """
    if password and not username:
        raise CLIError("Please also specify username if password is specified.")
    found, reason = _registry(context, checked(name), resource_group)
    host = found["properties"]["loginServer"] if found else _conventional(context, checked(name), suffix)
    server = LoginServer(context.connection, host, _given(username, password))
    if username:
        return server
    try:
        server.refresh_token()
    except NoToken as error:
        if error.status == 429:
            raise CloudError(f"{_AAD}: {error}") from None
        if error.status == 404 and not found:
            # Nobody answers for this name: in Azure it would not even resolve.
            raise _nowhere(host, reason) from None
        logger.warning("%s: %s", _AAD, error)
        return LoginServer(context.connection, host, _admin(context, found, reason) or _asked())
    return server


def _registry(context: Context, name: str, group: str | None) -> tuple[dict, str]:  # type: ignore[type-arg]  # JSON
    try:
        return context.arm.registry(name, group), ""
    except HttpError as error:
        if error.status not in (403, 404):
            raise
        return {}, str(error)
    except CloudError as error:
        if "could not be found in subscription" not in str(error):
            raise
        return {}, str(error)


def _nowhere(host: str, reason: str) -> CloudError:
    logger.warning("%s\nUsing '%s' as the default registry login server.", reason, host)
    return CloudError(
        f"Could not connect to the registry login server '{host}'. Please verify that the registry exists and the URL "
        f"'https://{host}/v2/' is reachable from your environment."
    )


def _conventional(context: Context, name: str, suffix: str | None) -> str:
    """Return the login server that a registry of this name has in this cloud, for callers who may not read it."""
    label = f"{name}-{suffix}" if suffix else name
    return f"{label}.{context.connection.profile.acr_suffix}".lower()


def _given(username: str | None, password: str | None) -> Credential | None:
    if not username:
        return None
    if password is None:
        try:
            password = prompt_pass("Password: ")
        except NoTTYException:
            raise CLIError("Please specify both username and password in non-interactive mode.") from None
    return Credential(username, password)


def _admin(context: Context, registry: dict, reason: str) -> Credential | None:  # type: ignore[type-arg]  # JSON
    if not registry:
        logger.warning("%s: %s", _ADMIN, reason)
        return None
    if not registry["properties"].get("adminUserEnabled"):
        logger.warning("%s: Admin user is disabled.", _ADMIN)
        return None
    try:
        held = context.arm.call("POST", f"{registry['id']}/listCredentials", "registries")
    except HttpError as error:
        logger.warning("%s: %s", _ADMIN, error)
        return None
    return Credential(held["username"], held["passwords"][0]["value"])


def _asked() -> Credential:
    try:
        return Credential(prompt("Username: "), prompt_pass("Password: "))
    except NoTTYException:
        raise CLIError(
            "Unable to authenticate using AAD or admin login credentials. "
            "Please specify both username and password in non-interactive mode."
        ) from None


def login_credential(server: LoginServer) -> Credential:
    """Return what ``docker login`` is given: user name and password, or nobody with the registry's refresh token."""
    return server.credential if server.credential.username else Credential(NOBODY, server.refresh_token())


def repository_scope(repository: str, *actions: str) -> str:
    """Return the scope of a token for a repository (Distribution token specification, resource scope)."""
    return f"repository:{repository}:{','.join(actions)}"


def image_name(image: str, *, digest: bool = True) -> tuple[str, str, str]:
    """Return repository, tag and digest of an image's name; without either the tag is ``latest``, as az takes it.

    Raises:
        CLIError: it is no such name.
    """
    repository, at, value = image.partition("@")
    if at and digest and value:
        return repository, "", value
    parts = image.split(":")
    if not at and len(parts) <= 2 and all(parts):
        return parts[0], parts[1] if len(parts) == 2 else "latest", ""
    more = " or digest in the format 'name@digest'" if digest else ""
    raise CLIError(f"The name of the image may include a tag in the format 'name:tag'{more}.")
