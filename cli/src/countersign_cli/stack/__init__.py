"""The one-machine stack: five processes on an embedded PostgreSQL."""
