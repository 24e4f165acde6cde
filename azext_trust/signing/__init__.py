"""Trust by itself, without a docker engine: keys, local cache, signing, verifying, revoking, delegating, rotating."""
