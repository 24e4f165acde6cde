"""Cloud profiles: the built-in ones and those registered, in ``config`` of the configuration directory."""

from __future__ import annotations

import configparser
import io
import os
from dataclasses import dataclass

from azext_trust import home
from azext_trust.cloud.errors import CloudError

ARM_AUDIENCE = "https://management.core.windows.net/"


@dataclass(frozen=True)
class Profile:
    """A cloud.

    Attributes:
        name: as registered.
        kind: ``embedded``, ``served`` or ``azure``: which wire and which credential.
        arm: resource manager's origin, no slash at the end.
        login: sign-in endpoint, no slash at the end; ends in ``/adfs`` in that shape.
        graph: Graph's address and audience.
        audience: the resource of ARM's tokens.
        acr_suffix: login servers are ``<registry>.<suffix>``.
        ca: file of the authority to trust, or empty.
    """

    name: str
    kind: str
    arm: str
    login: str
    graph: str
    audience: str = ARM_AUDIENCE
    acr_suffix: str = "azurecr.io"
    ca: str = ""


EMBEDDED = Profile("Embedded", "embedded", "https://localhost", "https://localhost", "https://localhost/")
AZURE = Profile(
    "AzureCloud", "azure", "https://management.azure.com", "https://login.microsoftonline.com",
    "https://graph.microsoft.com/",
)  # fmt: skip
BUILT_IN = {profile.name: profile for profile in (EMBEDDED, AZURE)}
_FIELDS = ("arm", "login", "graph", "audience", "acr_suffix", "ca")


def _read() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    path = home.config_dir() / "config"
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        raise CloudError(f"The configuration file {path} cannot be read: {error}. Mend it or move it away.") from None
    return parser


def _write(parser: configparser.ConfigParser) -> None:
    text = io.StringIO()
    parser.write(text)
    try:
        home.write_private(home.config_dir() / "config", text.getvalue().encode())
    except OSError as error:
        raise CloudError(
            f"The configuration directory {home.config_dir()} cannot be written: {error.strerror}. "
            "Set AZTRUST_CONFIG_DIR to a directory of yours."
        ) from None


def active() -> Profile:
    """Return the profile in use: AZTRUST_CLOUD, else the one set, else Embedded."""
    name = os.environ.get("AZTRUST_CLOUD") or str(_read().get("core", "cloud", fallback=EMBEDDED.name))
    return named(name)


def listed() -> list[Profile]:
    """Return all profiles, the built-in ones first."""
    parser = _read()
    names = [name[len("cloud ") :] for name in parser.sections() if name.startswith("cloud ")]
    return [*BUILT_IN.values(), *(named(name) for name in names)]


def named(name: str) -> Profile:
    """Return a profile; case is ignored.

    Raises:
        CloudError: there is none of this name.
    """
    for known in BUILT_IN.values():
        if known.name.lower() == name.lower():
            return known
    parser = _read()
    for section in parser.sections():
        if section.lower() == f"cloud {name}".lower():
            values = {field: parser.get(section, field, fallback="") for field in _FIELDS}
            return Profile(section[len("cloud ") :], "served", **values)
    raise CloudError(f"The cloud '{name}' is not registered.")


def use(name: str) -> None:
    """Make a profile the active one.

    Raises:
        CloudError: there is none of this name.
    """
    found = named(name)
    parser = _read()
    if not parser.has_section("core"):
        parser.add_section("core")
    parser.set("core", "cloud", found.name)
    _write(parser)


def register(profile: Profile) -> None:
    """Keep a profile.

    Raises:
        CloudError: the name is taken.
    """
    if any(profile.name.lower() == known.name.lower() for known in listed()):
        raise CloudError(f"The cloud '{profile.name}' is already registered.")
    parser = _read()
    section = f"cloud {profile.name}"
    parser.add_section(section)
    for field in _FIELDS:
        parser.set(section, field, getattr(profile, field))
    _write(parser)


def unregister(name: str) -> None:
    """Forget a profile.

    Raises:
        CloudError: it is built in, active or unknown.
    """
    found = named(name)
    if found.name in BUILT_IN:
        raise CloudError(f"The cloud '{found.name}' cannot be unregistered as it's not a custom cloud.")
    if active().name == found.name:
        raise CloudError(f"The cloud '{found.name}' cannot be unregistered as it's currently active.")
    parser = _read()
    parser.remove_section(f"cloud {found.name}")
    _write(parser)


def from_metadata(name: str, arm: str, metadata: dict[str, object], ca: str) -> Profile:
    """Return the profile that a cloud's own metadata describes (az-wire-contract.md section 1).

    Raises:
        CloudError: the document lacks what is needed.
    """
    signing, suffixes = metadata.get("authentication"), metadata.get("suffixes")
    try:
        assert isinstance(signing, dict)
        assert isinstance(suffixes, dict)
        return Profile(
            name, "served", str(metadata.get("resourceManager") or arm).rstrip("/"),
            str(signing["loginEndpoint"]).rstrip("/"), str(metadata["microsoftGraphResourceId"]),
            str(signing["audiences"][0]), str(suffixes["acrLoginServer"]).lstrip("."), ca,
        )  # fmt: skip
    except (AssertionError, KeyError, IndexError):
        raise CloudError(f"{arm} does not describe a cloud: its metadata lacks endpoints.") from None
