"""Who sends the load."""
