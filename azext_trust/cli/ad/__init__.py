"""Users, groups, applications, service principals."""
