"""PostgreSQL: the pool that services use, and the runner of their migrations."""
