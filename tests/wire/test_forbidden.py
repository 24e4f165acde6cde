"""Who lacks the right gets az's own text; nothing changes, and every refusal is in the activity log."""

from __future__ import annotations

import pytest

from tests.wire.programs import PASSWORDS, Program, Served, az

GROUP = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/guarded"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/guardedregistry"

FORBIDDEN = [
    ("acr config content-trust update -r guardedregistry --status disabled --yes", "registries/write"),
    ("acr update -n guardedregistry --admin-enabled true", "registries/write"),
    ("acr delete -n guardedregistry -g guarded --yes", "registries/delete"),
    ("acr create -n another1 -g guarded --sku Premium -l westeurope", "registries/write"),
    ("group create -n other -l westeurope", "resourcegroups/write"),
    (f"role assignment create --scope {REGISTRY} --role AcrImageSigner --assignee alain@contoso.com",
     "roleAssignments/write"),
]  # fmt: skip


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, cloud: Served) -> Program:
    """Az, signed in as a user with Reader alone."""
    program = az(tmp_path_factory.mktemp("reader"), cloud)
    program.must("login", "-u", "reader@contoso.com", "-p", PASSWORDS["reader"])
    return program


@pytest.fixture(scope="module")
def pusher(tmp_path_factory: pytest.TempPathFactory, cloud: Served) -> Program:
    """Az, signed in as a service principal with AcrPush on one registry alone."""
    program = az(tmp_path_factory.mktemp("pusher"), cloud)
    program.must(
        "login", "--service-principal", "-u", "44444444-4444-4444-4444-444444444444", "-p", "Push-an-image-1",
        "-t", "11111111-1111-1111-1111-111111111111",
    )  # fmt: skip
    return program


@pytest.mark.parametrize(("command", "action"), FORBIDDEN)
def test_reader(cloud: Served, reader: Program, command: str, action: str) -> None:
    """M8, M9: a Reader is refused with AuthorizationFailed, and the refusal is logged."""
    before, logged = cloud.operator("dump"), _denied(cloud)
    done = reader(*command.split())
    assert done.code == 1, done
    assert "(AuthorizationFailed) The client 'reader@contoso.com' with object id" in done.err
    assert "does not have authorization to perform action 'Microsoft." in done.err
    assert action.lower() in done.err.lower()
    assert cloud.operator("dump") == before
    assert _denied(cloud) > logged


def test_reader_may_look(reader: Program) -> None:
    """M8: what the role grants works."""
    shown = reader.must("acr", "show", "-n", "guardedregistry", "--query", "id", "-o", "tsv")
    assert shown.strip() == REGISTRY


@pytest.mark.parametrize(
    "command",
    [
        "acr show -n guardedregistry",
        "acr config content-trust show -r guardedregistry",
        "acr config content-trust update -r guardedregistry --status disabled --yes",
        "acr update -n guardedregistry --admin-enabled true",
    ],
)
def test_pusher_cannot_find(cloud: Served, pusher: Program, command: str) -> None:
    """M8, M9: az looks the registry up first, and the caller may not read it."""
    before = cloud.operator("dump")
    done = pusher(*command.split())
    assert done.code == 1, done
    assert (
        "The resource with name 'guardedregistry' and type 'Microsoft.ContainerRegistry/registries' "
        "could not be found in subscription 'Lab (22222222-2222-2222-2222-222222222222)'."
    ) in done.err
    assert cloud.operator("dump") == before


@pytest.mark.parametrize(("command", "action"), FORBIDDEN[2:5])
def test_pusher_is_refused(cloud: Served, pusher: Program, command: str, action: str) -> None:
    """M8, M9: a service principal with AcrPush alone is refused, and the refusal is logged."""
    before, logged = cloud.operator("dump"), _denied(cloud)
    done = pusher(*command.split())
    assert done.code == 1, done
    assert "(AuthorizationFailed) The client '44444444-4444-4444-4444-444444444444' with object" in done.err
    assert action.lower() in done.err.lower()
    assert cloud.operator("dump") == before
    assert _denied(cloud) > logged


def _denied(cloud: Served) -> int:
    return sum(entry["outcome"] == "Denied" for entry in cloud.operator("log")["value"])
