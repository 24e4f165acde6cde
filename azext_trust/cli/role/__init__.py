"""Role definitions and assignments."""
