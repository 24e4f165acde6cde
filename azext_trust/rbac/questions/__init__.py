"""What people ask about access: each question a pure function of a tenant, each answer rows that say if they are all."""
