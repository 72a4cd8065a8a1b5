"""What must be true afterwards, told from the logs and the public APIs alone."""
