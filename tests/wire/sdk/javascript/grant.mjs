// Signs in, enables content trust, grants AcrImageSigner: the article's management half with the Azure SDK for JavaScript.
import { randomUUID } from "node:crypto";
import { ClientSecretCredential } from "@azure/identity";
import { ContainerRegistryManagementClient } from "@azure/arm-containerregistry";
import { AuthorizationManagementClient } from "@azure/arm-authorization";

const { ORIGIN, TENANT, SUBSCRIPTION, CLIENT_ID, CLIENT_SECRET, GROUP, REGISTRY, PRINCIPAL } = process.env;
const credential = new ClientSecretCredential(TENANT, CLIENT_ID, CLIENT_SECRET, { authorityHost: ORIGIN, disableInstanceDiscovery: true });
const scopes = ["https://management.core.windows.net/.default"];
const options = { endpoint: ORIGIN, credentialScopes: scopes, credentials: { scopes } };

const registries = new ContainerRegistryManagementClient(credential, SUBSCRIPTION, options).registries;
const changed = await registries.update(GROUP, REGISTRY, { policies: { trustPolicy: { status: "enabled", type: "Notary" } } });
const scope = changed.id;
const role = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/6cef56e8-d556-48e5-a04f-b8e64114680f`;
const authorization = new AuthorizationManagementClient(credential, SUBSCRIPTION, options);
const granted = await authorization.roleAssignments.create(scope, randomUUID(), { roleDefinitionId: role, principalId: PRINCIPAL, principalType: "User" });
console.log(JSON.stringify({ status: changed.policies.trustPolicy.status, scope: granted.scope, principalId: granted.principalId }));
