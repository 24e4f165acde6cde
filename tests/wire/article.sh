#!/usr/bin/env bash
# The management half of the article, run once with the unmodified az and once with `alias az=aztrust`.
# AZ is the program behind `az`; ENABLE is the enabling command, the only one that differs (az 2.91 refuses the article's).
set -euo pipefail
az() { "$AZ" "$@"; }

REGISTRY=myregistry
az group create --name lab --location westeurope
az acr create --name $REGISTRY --resource-group lab --sku Premium
eval "$ENABLE"
az acr config content-trust show --registry $REGISTRY

# Grant signing permissions to authenticated Azure CLI user
REGISTRY_ID=$(az acr show --name $REGISTRY --query id --output tsv)
az role assignment create --scope $REGISTRY_ID --role AcrImageSigner --assignee azureuser@contoso.com

# ... and to a service principal: by appId, by objectId, by each of its servicePrincipalNames
APP_ID=33333333-3333-3333-3333-333333333333
OBJECT_ID=$(az ad sp show --id $APP_ID --query id --output tsv)
for NAME in $APP_ID $OBJECT_ID $(az ad sp show --id $APP_ID --query servicePrincipalNames --output tsv); do
    az role assignment create --scope $REGISTRY_ID --role AcrImageSigner --assignee $NAME
done
az role assignment list --scope $REGISTRY_ID --output table

az acr config content-trust update --registry $REGISTRY --status disabled --yes
az acr config content-trust show --registry $REGISTRY --query status --output tsv
