"""Signs in, enables content trust, grants AcrImageSigner: the article's management half with the Azure SDK for Python."""

import json
import os
import uuid

from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient

env = os.environ
origin, subscription = env["ORIGIN"], env["SUBSCRIPTION"]
credential = ClientSecretCredential(
    env["TENANT"], env["CLIENT_ID"], env["CLIENT_SECRET"], authority=origin, disable_instance_discovery=True
)
where = {"base_url": origin, "credential_scopes": ["https://management.core.windows.net/.default"]}

registries = ContainerRegistryManagementClient(credential, subscription, **where).registries
policies = {"trustPolicy": {"status": "enabled", "type": "Notary"}}
changed = registries.begin_update(env["GROUP"], env["REGISTRY"], {"properties": {"policies": policies}}).result()
role = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/6cef56e8-d556-48e5-a04f-b8e64114680f"
assignments = AuthorizationManagementClient(credential, subscription, **where).role_assignments
properties = {"roleDefinitionId": role, "principalId": env["PRINCIPAL"], "principalType": "User"}
granted = assignments.create(changed.id, str(uuid.uuid4()), {"properties": properties})
print(
    json.dumps(
        {
            "status": changed.policies.trust_policy.status,
            "scope": granted.scope,
            "principalId": granted.principal_id,
        }
    )
)
