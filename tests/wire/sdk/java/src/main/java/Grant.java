import com.azure.core.credential.TokenCredential;
import com.azure.core.management.AzureEnvironment;
import com.azure.core.management.profile.AzureProfile;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.resourcemanager.authorization.AuthorizationManager;
import com.azure.resourcemanager.authorization.models.PrincipalType;
import com.azure.resourcemanager.authorization.models.RoleAssignmentCreateParameters;
import com.azure.resourcemanager.containerregistry.ContainerRegistryManager;
import com.azure.resourcemanager.containerregistry.models.Policies;
import com.azure.resourcemanager.containerregistry.models.PolicyStatus;
import com.azure.resourcemanager.containerregistry.models.RegistryUpdateParameters;
import com.azure.resourcemanager.containerregistry.models.TrustPolicy;
import com.azure.resourcemanager.containerregistry.models.TrustPolicyType;
import java.util.Map;
import java.util.UUID;

/** Signs in, enables content trust, grants AcrImageSigner: the article's management half with the Azure SDK for Java. */
public final class Grant {
    private static final String SIGNER = "/providers/Microsoft.Authorization/roleDefinitions/6cef56e8-d556-48e5-a04f-b8e64114680f";

    public static void main(String[] arguments) {
        Map<String, String> env = System.getenv();
        String origin = env.get("ORIGIN");
        String subscription = env.get("SUBSCRIPTION");
        AzureEnvironment local = new AzureEnvironment(Map.of(
            "resourceManagerEndpointUrl", origin + "/", "managementEndpointUrl", "https://management.core.windows.net/",
            "activeDirectoryEndpointUrl", origin + "/", "microsoftGraphResourceId", origin + "/"));
        TokenCredential credential = new ClientSecretCredentialBuilder().authorityHost(origin).disableInstanceDiscovery()
            .tenantId(env.get("TENANT")).clientId(env.get("CLIENT_ID")).clientSecret(env.get("CLIENT_SECRET")).build();
        AzureProfile profile = new AzureProfile(env.get("TENANT"), subscription, local);

        var registries = ContainerRegistryManager.authenticate(credential, profile).serviceClient().getRegistries();
        var trust = new TrustPolicy().withStatus(PolicyStatus.ENABLED).withType(TrustPolicyType.NOTARY);
        var changed = registries.update(env.get("GROUP"), env.get("REGISTRY"),
            new RegistryUpdateParameters().withPolicies(new Policies().withTrustPolicy(trust)));

        var assignments = AuthorizationManager.authenticate(credential, profile).roleServiceClient().getRoleAssignments();
        var granted = assignments.create(changed.id(), UUID.randomUUID().toString(), new RoleAssignmentCreateParameters()
            .withRoleDefinitionId("/subscriptions/" + subscription + SIGNER)
            .withPrincipalId(env.get("PRINCIPAL")).withPrincipalType(PrincipalType.USER));
        System.out.printf("{\"status\": \"%s\", \"scope\": \"%s\", \"principalId\": \"%s\"}%n",
            changed.policies().trustPolicy().status(), granted.scope(), granted.principalId());
    }
}
