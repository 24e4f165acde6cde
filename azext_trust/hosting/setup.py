"""The recipes of ``aztrust serve --print-setup``: what to run so that a client uses the served cloud."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from azext_trust.hosting.imds import VARIABLE

_AZ = """\
# az (a configuration directory of its own keeps your real Azure as it is)
export AZURE_CONFIG_DIR="$HOME/.azure-aztrust"
export REQUESTS_CA_BUNDLE={ca}
{discovery}az cloud register -n Aztrust --endpoint-resource-manager {origin}
az cloud set -n Aztrust
# asks for the password (shown once when the cloud was founded, or in your seed file) unless AZTRUST_PASSWORD holds it
az login -u {owner} ${{AZTRUST_PASSWORD:+-p "$AZTRUST_PASSWORD"}}
"""

_DISCOVERY = "az config set core.instance_discovery=false\n"

_AZTRUST = """\
# aztrust, against this server instead of its own embedded cloud
aztrust cloud register -n served --endpoint-resource-manager {origin} --ca {ca}
aztrust cloud set -n served
"""

_SDK = """\
# Azure SDKs for Python: base_url={origin!r}, credential_scopes=["https://management.core.windows.net/.default"],
# and credentials with disable_instance_discovery=True
export AZURE_AUTHORITY_HOST={origin}
export REQUESTS_CA_BUNDLE={ca} SSL_CERT_FILE={ca}
"""

_IDENTITIES = """\
# managed identities, for az login --identity and the SDKs' ManagedIdentityCredential
export {variable}=http://{imds}
"""

_DOCKER = """\
# docker, podman, notary: 'aztrust hosts show --state {state}' tells what they need to find registries by name and to
# trust them; 'hosts add', as root, writes it, and 'hosts remove' undoes it. With 'serve --dns 53' and this cloud as
# the machine's name server no hosts entries are needed.
"""

_CURL = """\
# curl
curl --cacert {ca} {origin}/healthz
"""

_BROWSER = """\
# browsers: import the authority {path} (it can only vouch for the names of this cloud), then open {origin}/portal
"""


def recipe(origin: str, state: Path, ca: Path, owner: str = "owner@contoso.com", imds: str = "") -> str:
    """Return the recipe for every client, as lines for bash.

    Args:
        origin: the cloud's origin, such as ``https://localhost``.
        state: the cloud directory, named so that the right server is started.
        ca: file of the authority to trust.
        owner: the user who owns the subscription.
        imds: address and port of the instance metadata service, or empty.
    """
    values = {
        "origin": origin,
        "ca": quote(str(ca)),
        "path": ca,
        "owner": quote(owner),
        "state": quote(str(state)),
        "imds": imds,
        "variable": VARIABLE,
        # On other ports the login endpoint has a shape for which clients ask no discovery service.
        "discovery": _DISCOVERY if origin.count(":") == 1 else "",
    }
    head = f"# {origin}, state in {state}\n"
    parts = (_AZ, _AZTRUST, _SDK, *((_IDENTITIES,) if imds else ()), _DOCKER, _CURL, _BROWSER)
    return head + "\n" + "\n".join(part.format(**values) for part in parts)


def fallback(reason: str, origin: str) -> str:
    """Return what to tell the user when port 443 was not had, and what then needs another way.

    Args:
        reason: the system's words.
        origin: where the cloud is published instead.
    """
    port = origin[origin.rindex(":") :]
    return (
        f"127.0.0.1:443 cannot be listened on ({reason}): serving {origin} instead.\n"
        f"The login endpoint is {origin}/adfs. Image names need the port (myregistry.azurecr.io{port}); "
        "'az acr check-health' and msal programs that sign in with a password need port 443.\n"
        "To have it: run as root, or 'sudo sysctl net.ipv4.ip_unprivileged_port_start=443', "
        "or stop what uses it."
    )
