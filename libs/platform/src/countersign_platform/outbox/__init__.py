"""What must be told to others is written with the act, and told afterwards until it is heard."""
