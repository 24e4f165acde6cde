"""Signing in and accounts, the same words typed to az and to aztrust: field by field the same answers (M6, M28)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.wire.programs import PASSWORDS, Done, Program, Served, az, aztrust_served
from tests.wire.test_same_as_az import difference, told
from tests.wire.test_sign_in_az import PUSHER, SUBSCRIPTION, TENANT

OWNER = f"-u owner@contoso.com -p {PASSWORDS['owner']}"
SESSION = f"""
account list
account show
account get-access-token
account list-locations
account set -s {SUBSCRIPTION}
logout
login -u owner@contoso.com -p Wrong
login -u nobody@contoso.com -p Wrong
login -u owner@contoso.com
login --service-principal
login --service-principal -u {PUSHER} -p Wrong -t {TENANT}
login --service-principal -u {TENANT} -p Wrong -t {TENANT}
login --service-principal -u {PUSHER}
login --identity -u x
login --identity -t {TENANT}
login --identity -p x
login --use-device-code -u x
login --use-cert-sn-issuer
login --skip-sub
login --skip-sub -t {TENANT} -s Lab
login {OWNER} -t other.example
login {OWNER} -t no-name
login {OWNER} -s nope
login {OWNER} --skip-sub -t {TENANT} -s {TENANT}
account clear
login {OWNER} --skip-sub -t {TENANT}
account show
account clear
login {OWNER} --skip-sub -t {TENANT} -s {SUBSCRIPTION}
account show
login {OWNER}
login {OWNER} -o table
login {OWNER} -o tsv
login {OWNER} -t {TENANT}
login {OWNER} -t contoso.com
login {OWNER} -s Lab
account show
account show -o table
account show -o tsv
account show -s Lab
account show -s nope
account show -n {SUBSCRIPTION}
account list
account list -o table
account list --all
account list --refresh
account set
account set -s nope
account set -s Lab
account set -n {SUBSCRIPTION}
account get-access-token --query keys(@)
account get-access-token --query keys(@) -t {TENANT}
account get-access-token -t {TENANT} -s Lab
account get-access-token -s nope
account get-access-token --resource https://nowhere.example
account get-access-token --scope https://nowhere.example/.default
account get-access-token --resource https://containerregistry.azure.net --query tokenType
account get-access-token --resource-type ms-graph --query tokenType
account get-access-token --resource-type nope
account list-locations --query [0]
account list-locations -o table
login -u alain@contoso.com -p Sign-an-image-1
login -u alain@contoso.com -p Sign-an-image-1 --allow-no-subscriptions
account list
account show
login --service-principal -u {PUSHER} -p Push-an-image-1 -t {TENANT}
account list
account show
account get-access-token --query keys(@)
logout --username nobody@contoso.com
logout --username {PUSHER}
account list
account show
account set -s N/A(tenant
logout
account clear
account list
""".strip().splitlines()
_TEXTS = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "TIME"),
    (r"(Trace|Correlation) ID: [0-9a-f-]{36}", "ID"),
    # Both tell to sign in again; az leaves a line between.
    (r"\n+", "\n"),
    # In the ADFS shape az forgets the tenant and advises one that cannot be.
    (r'--tenant "(adfs|1[1-]+)"', "--tenant TENANT"),
    (r'"(trace_id|correlation_id)": ?"[^"]*"', "ID"),
)


def plain(done: Done) -> Done:
    """Return what was printed, without what must differ."""
    found = told(done, "no name at all")
    out, err = found.out, found.err
    for pattern, text in _TEXTS:
        out, err = re.sub(pattern, text, out), re.sub(pattern, text, err)
    return Done(found.code, out, err)


@pytest.fixture(scope="module")
def served(cloud: Served) -> Served:
    """The cloud of this file."""
    return cloud


def test_session(served: Served, tmp_path: Path) -> None:
    """M6: a whole session, step by step, each program with its own configuration."""
    programs = (az(tmp_path / "az", served), aztrust_served(tmp_path / "own", served))
    differ = []
    for line in SESSION:
        theirs, ours = (plain(program(*line.split())) for program in programs)
        if ours != theirs:
            differ += [f"$ {line}", *difference(theirs, ours)]
    assert not differ, "\n" + "\n".join(differ)


def test_tokens(served: Served, tmp_path: Path) -> None:
    """M6: the tokens that both hold say the same, but for what is of the moment."""
    from tests.sign_in import claims_of

    found = []
    for program in (az(tmp_path / "az", served), aztrust_served(tmp_path / "own", served)):
        program.must("login", *OWNER.split())
        found.append(_lasting(program, claims_of))
    assert found[0] == found[1]


def _lasting(program: Program, claims_of: object) -> list[dict[str, object]]:
    moving = {"iat", "nbf", "exp", "uti"}
    rows = []
    for asked in ((), ("--resource", "https://containerregistry.azure.net"), ("--resource-type", "ms-graph")):
        body = json.loads(program.must("account", "get-access-token", *asked))
        assert callable(claims_of)
        rows.append({name: value for name, value in claims_of(body["accessToken"]).items() if name not in moving})
    return rows
