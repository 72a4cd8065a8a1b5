"""Orders from files: JSON lines, and CSV through a column mapping."""
