"""What every request passes: match, authenticate, authorise, one transaction, activity entry, error shape."""
