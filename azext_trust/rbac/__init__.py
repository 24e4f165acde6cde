"""Who may do what, and why. Pure: facts in, decision with its reasons out."""
