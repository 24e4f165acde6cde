"""One client for each protocol: Resource Manager, Graph, the operator service."""
