"""Where Alembic starts from."""
