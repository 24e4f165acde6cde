"""Azure Resource Manager: resources, policies, role assignments."""
