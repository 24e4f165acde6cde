"""The login servers: an OCI registry with ACR's token service and ACR's data API."""
