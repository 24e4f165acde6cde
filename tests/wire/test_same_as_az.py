"""The same words typed to az and to aztrust, on one served cloud: same results, same errors, same exit codes."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass

import pytest

from tests.wire.programs import PASSWORDS, Done, Program, Served, az, aztrust_served

SUBSCRIPTION = "/subscriptions/22222222-2222-2222-2222-222222222222"
GUARDED = f"{SUBSCRIPTION}/resourceGroups/guarded/providers/Microsoft.ContainerRegistry/registries/guardedregistry"
OWN = f"{SUBSCRIPTION}/resourceGroups/rg-NAME/providers/Microsoft.ContainerRegistry/registries/regNAME"
NOBODY = "99999999-9999-9999-9999-999999999999"
ROLE = json.dumps(
    {"Name": "Signer NAME", "Description": "Signs only", "AssignableScopes": [SUBSCRIPTION],
     "Actions": ["Microsoft.ContainerRegistry/registries/sign/write"],
     "DataActions": ["Microsoft.ContainerRegistry/registries/trustedCollections/write"]}
)  # fmt: skip
CHANGED = ROLE.replace("Signs only", "Signs and reads").replace(
    'sign/write"', 'sign/write", "Microsoft.ContainerRegistry/registries/read"'
)
BUILT_IN = "/providers/Microsoft.Authorization/roleDefinitions/"

READING = f"""
acr show -n guardedregistry
acr show -n guardedregistry -o table
acr show -n guardedregistry -o tsv
acr show -n guardedregistry -o yaml
acr show -n guardedregistry -g guarded --query {{n:name,id:id}} -o jsonc
acr show -n guardedregistry --query name -o none
acr show -n nosuchregistry
acr show -n nosuchregistry -g guarded
acr show -n nosuchregistry -g nogroup
acr show -n ab
acr list -g guarded
acr list -g guarded -o table
acr list -g nogroup
acr check-name -n guardedregistry
acr check-name -n freename1
acr check-name -n x
acr show-usage -n guardedregistry
acr show-usage -n guardedregistry -o table
acr credential show -n guardedregistry
acr create -n Upper -g guarded --sku Premium
acr create -n x-y -g guarded --sku Premium
acr create -n newreg1 -g nogroup --sku Premium
acr create -n newreg1 -g guarded --sku Premium -l nowhere
acr create -n guardedregistry -g lab --sku Premium -l westeurope
acr delete -n guardedregistry
acr delete -n nosuchregistry -y
acr delete -n nosuchregistry -g guarded -y
acr update -n nosuchregistry --admin-enabled true
acr update -n guardedregistry --regional-endpoints enabled
acr update -n guardedregistry --sku Standard
role definition list --name AcrImageSigner
role definition list --name AcrImageSigner -o table
role definition list --custom-role-only
role definition list --name Nope
role definition show --id {BUILT_IN}6cef56e8-d556-48e5-a04f-b8e64114680f
role definition show --id {BUILT_IN}99999999-d556-48e5-a04f-b8e64114680f
role assignment list
role assignment list --all
role assignment list --all -o table
role assignment list --scope {GUARDED}
role assignment list --scope {GUARDED} --include-inherited
role assignment list -g guarded
role assignment list --assignee alain@contoso.com
role assignment list --assignee nobody@contoso.com
role assignment list --assignee owner@contoso.com --include-groups
role assignment list --role Owner
role assignment create --scope {GUARDED} --role Nope --assignee alain@contoso.com
role assignment create --scope {GUARDED} --role AcrPull --assignee nobody@contoso.com
role assignment create --scope {GUARDED} --role AcrPull --assignee-object-id NOBODY --assignee-principal-type User
role assignment create --scope {GUARDED} --role 99999999-d556-48e5-a04f-b8e64114680f --assignee alain@contoso.com
role assignment create --scope /subscriptions/99999999-2222-2222-2222-222222222222 --role AcrPull --assignee alain@contoso.com
role assignment create --scope bogus --role AcrPull --assignee alain@contoso.com
role assignment delete --assignee alain@contoso.com --role AcrPull --scope {GUARDED}
role assignment delete --ids {GUARDED}/providers/Microsoft.Authorization/roleAssignments/99999999-2222-2222-2222-222222222222
group list
group list -o table
group list --tag nosuch=tag
group show -n guarded
group show -n nope
group exists -n guarded
group exists -n nope
group create -n bad/name -l westeurope
group create -n g1 -l nowhere
group delete -n nope -y
account show
account list -o table
account set -s nope
account get-access-token --query tokenType
ad user list --query [].userPrincipalName
ad user show --id alain@contoso.com
ad user show --id nobody@contoso.com
ad user create --display-name X --password Complex-pass-1 --user-principal-name x@elsewhere.com
ad user get-member-groups --id alain@contoso.com
ad signed-in-user show
ad sp list --all --query [].appId
ad sp list --spn api://builder
ad sp show --id api://builder
ad sp show --id api://nope
ad sp show --id 99999999-3333-3333-3333-333333333333
ad sp create --id 33333333-3333-3333-3333-333333333333
ad sp credential list --id api://builder
ad app list --display-name builder
ad app list --show-mine
ad app show --id 33333333-3333-3333-3333-333333333333
ad app show --id api://nope
ad app credential list --id api://builder
ad group list
ad group show -g nope
ad group member list -g nope
acr config content-trust update -r nosuchregistry --status disabled --yes
""".strip().splitlines()

CHANGING = f"""
group create -n rg-NAME -l westeurope --tags a=b
group update -n rg-NAME --set tags.c=d
group update -n rg-NAME --tags e=f
acr create -n regNAME -g rg-NAME --sku Basic
acr update -n regNAME --sku Premium --tags team=a
acr update -n regNAME --admin-enabled true
acr update -n regNAME --anonymous-pull-enabled true
acr update -n regNAME --set policies={{"trustPolicy":{{"status":"enabled","type":"Notary"}}}}
acr update -n regNAME --sku Basic
acr update -n regNAME --regional-endpoints enabled
acr update -n regNAME --public-network-enabled false
acr update -n regNAME --allow-exports false
acr check-name -n regNAME
role assignment create --scope {OWN} --role AcrImageSigner --assignee alain@contoso.com
role assignment create --scope {OWN} --role AcrImageSigner --assignee alain@contoso.com
role assignment create --scope {OWN} --role AcrPush --assignee api://builder --description builds
role assignment create --scope {OWN} --role AcrPull --assignee-object-id PUSHER --assignee-principal-type Group
role assignment create --scope {OWN} --role AcrPull --assignee-object-id PUSHER --assignee-principal-type ServicePrincipal
role assignment list --scope {OWN}
role assignment list --scope {OWN} -o table
role assignment list --scope {OWN} --include-inherited -o tsv --query [].roleDefinitionName
role assignment delete --scope {OWN} --role AcrPull --assignee PUSHER
role assignment delete --scope {OWN} --role AcrPull --assignee PUSHER
role definition create --role-definition {ROLE}
role definition create --role-definition {ROLE}
role definition list --name Signer/NAME --custom-role-only
role definition update --role-definition {CHANGED}
role definition delete --name Owner
role assignment create --scope {OWN} --role Signer/NAME --assignee alain@contoso.com
role definition delete --name Signer/NAME
role assignment delete --scope {OWN}
role definition delete --name Signer/NAME
ad group create --display-name signers-NAME --mail-nickname signersNAME
ad group create --display-name signers-NAME --mail-nickname signersNAME
ad group member add -g signers-NAME --member-id PUSHER
ad group member add -g signers-NAME --member-id PUSHER
ad group member list -g signers-NAME --query [].displayName
ad group member check -g signers-NAME --member-id PUSHER
ad group member remove -g signers-NAME --member-id PUSHER
ad group owner list -g signers-NAME --query [].userPrincipalName
ad group delete -g signers-NAME
ad user create --display-name New/NAME --password Complex-pass-1 --user-principal-name newNAME@contoso.com
ad user create --display-name New/NAME --password Complex-pass-1 --user-principal-name newNAME@contoso.com
ad user update --id newNAME@contoso.com --display-name Newer/NAME
ad user show --id newNAME@contoso.com
ad user delete --id newNAME@contoso.com
ad user delete --id newNAME@contoso.com
ad app create --display-name app-NAME --identifier-uris api://app-NAME --web-redirect-uris http://localhost/NAME
ad app create --display-name app-NAME
ad app update --id api://app-NAME --is-fallback-public-client true
ad app show --id api://app-NAME
ad sp create --id api://app-NAME
ad app federated-credential create --id api://app-NAME --parameters {{"name":"f","issuer":"https://i.example","subject":"s","audiences":["api://AzureADTokenExchange"]}}
ad app federated-credential list --id api://app-NAME
ad app federated-credential show --id api://app-NAME --federated-credential-id f
ad app federated-credential delete --id api://app-NAME --federated-credential-id f
ad app credential reset --id api://app-NAME --query length(password)
ad app credential list --id api://app-NAME
ad sp delete --id api://app-NAME
ad app delete --id api://app-NAME
ad sp create-for-rbac -n rbac-NAME --role AcrPush --scopes {OWN} --query displayName
ad sp create-for-rbac -n rbac-NAME --query tenant
acr credential show -n regNAME --query length(passwords)
acr credential renew -n regNAME --password-name password2 --query username
acr config content-trust update -r regNAME --status disabled --yes --only-show-errors
acr config content-trust show -r regNAME --only-show-errors
acr delete -n regNAME -y
group delete -n rg-NAME -y
group exists -n rg-NAME
""".strip().splitlines()


@dataclass(frozen=True)
class Both:
    """The two programs, signed in as the same owner."""

    az: Program
    own: Program

    def run(self, line: str) -> tuple[Done, Done]:
        """Type one line to both; NAME is a name of each one's own, and a slash within it stands for a blank."""
        return self._one(self.az, line, "theirs"), self._one(self.own, line, "ours")

    @staticmethod
    def _one(program: Program, line: str, name: str) -> Done:
        words = [
            _blank(word).replace("NAME", name).replace("PUSHER", _pusher(program)).replace("NOBODY", NOBODY)
            for word in _split(line)
        ]
        return told(program(*words), name)


def _split(line: str) -> list[str]:
    """Return the words of a line; JSON, which may hold blanks, is always the last one."""
    head, brace, rest = line.partition(" {") if '{"' in line and "={" not in line else (line, "", "")
    return head.split() + ([f"{{{rest}"] if brace else [])


def _blank(word: str) -> str:
    return word.replace("/NAME", " NAME") if re.fullmatch(r"\w+/NAME", word) else word


_known: dict[str, str] = {}


def _pusher(program: Program) -> str:
    if program.path not in _known:
        shown = program.must(
            "ad", "sp", "show", "--id", "44444444-4444-4444-4444-444444444444", "--query", "id", "-o", "tsv"
        )
        _known[program.path] = shown.strip()
    return _known[program.path]


_VOLATILE = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "TIME"),
    (r"(?<![0-9a-f])(?!(0{8}|2{8}|1{8}|3{8}|4{8}|6cef56e8|9{8})-)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "GUID"),
    (r'"hint": "...?"', '"hint": "xyz"'),
    (r"S-1-12(-\d+)+", "SID"),
    # Only az warns that its command group will go; examples and where to read on differ.
    (
        r"(?m)^WARNING: (This command group has been deprecated|Content Trust is being deprecated|Argument|Option) .*\n?",
        "",
    ),
    (r"(?s)\n*(Examples from command's help|https://aka.ms/cli_ref|See 'az ).*", ""),
)


def told(done: Done, name: str) -> Done:
    """Return what was printed, without what must differ."""
    out, err = done.out, done.err.replace("aztrust", "az")
    for pattern, text in ((name, "NAME"), *_VOLATILE):
        out, err = re.sub(pattern, text, out), re.sub(pattern, text, err)
    # Columns are as wide as their widest cell, and a longer name widens them.
    out = re.sub(r" {2,}|-{3,}", "  ", out)
    return Done(done.code, out.strip(), err.strip())


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, cloud: Served) -> Both:
    """Az and aztrust, signed in."""
    directory = tmp_path_factory.mktemp("both")
    found = Both(az(directory, cloud), aztrust_served(directory, cloud))
    for program in (found.az, found.own):
        program.must("login", "-u", "owner@contoso.com", "-p", PASSWORDS["owner"])
    return found


@pytest.mark.parametrize("line", READING)
def test_reading(both: Both, line: str) -> None:
    """M2, M7, M28: what changes nothing is told in the same words."""
    theirs, ours = both.run(line)
    assert ours == theirs


def test_changing(both: Both) -> None:
    """M1, M2, M4, M7, M28: a whole session of changes, step by step."""
    differ = []
    for line in CHANGING:
        theirs, ours = both.run(line)
        if ours != theirs:
            differ += [f"$ {line}", *difference(theirs, ours)]
    assert not differ, "\n" + "\n".join(differ)


def difference(theirs: Done, ours: Done) -> list[str]:
    """Return the lines in which two outcomes differ."""
    before, after = (f"exit {done.code}\n{done.out}\n{done.err}".splitlines() for done in (theirs, ours))
    return list(difflib.unified_diff(before, after, "az", "aztrust", lineterm="", n=1))
