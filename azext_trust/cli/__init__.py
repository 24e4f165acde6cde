"""What is typed: one folder for each command group."""
