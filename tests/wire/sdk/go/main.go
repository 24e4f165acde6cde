// Signs in, enables content trust, grants AcrImageSigner: the article's management half with the Azure SDK for Go.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/uuid"
)

const signer = "/providers/Microsoft.Authorization/roleDefinitions/6cef56e8-d556-48e5-a04f-b8e64114680f"

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	env, ctx := os.Getenv, context.Background()
	local := azcore.ClientOptions{Cloud: cloud.Configuration{
		ActiveDirectoryAuthorityHost: env("ORIGIN"),
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: env("ORIGIN"), Audience: "https://management.core.windows.net"},
		},
	}}
	credential := must(azidentity.NewClientSecretCredential(env("TENANT"), env("CLIENT_ID"), env("CLIENT_SECRET"),
		&azidentity.ClientSecretCredentialOptions{ClientOptions: local, DisableInstanceDiscovery: true}))
	options := &arm.ClientOptions{ClientOptions: local}

	registries := must(armcontainerregistry.NewRegistriesClient(env("SUBSCRIPTION"), credential, options))
	trust := armcontainerregistry.TrustPolicy{Status: to.Ptr(armcontainerregistry.PolicyStatusEnabled), Type: to.Ptr(armcontainerregistry.TrustPolicyTypeNotary)}
	poller := must(registries.BeginUpdate(ctx, env("GROUP"), env("REGISTRY"), armcontainerregistry.RegistryUpdateParameters{
		Properties: &armcontainerregistry.RegistryPropertiesUpdateParameters{Policies: &armcontainerregistry.Policies{TrustPolicy: &trust}},
	}, nil))
	changed := must(poller.PollUntilDone(ctx, nil))

	assignments := must(armauthorization.NewRoleAssignmentsClient(env("SUBSCRIPTION"), credential, options))
	granted := must(assignments.Create(ctx, *changed.ID, uuid.NewString(), armauthorization.RoleAssignmentCreateParameters{
		Properties: &armauthorization.RoleAssignmentProperties{
			RoleDefinitionID: to.Ptr("/subscriptions/" + env("SUBSCRIPTION") + signer),
			PrincipalID:      to.Ptr(env("PRINCIPAL")),
			PrincipalType:    to.Ptr(armauthorization.PrincipalTypeUser),
		},
	}, nil))
	must(0, json.NewEncoder(os.Stdout).Encode(map[string]any{
		"status": changed.Properties.Policies.TrustPolicy.Status, "scope": granted.Properties.Scope,
		"principalId": granted.Properties.PrincipalID,
	}))
}
