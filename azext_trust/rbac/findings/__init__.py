"""What is wrong, or soon will be: findings about access and content trust, each with evidence and the command that cures."""
