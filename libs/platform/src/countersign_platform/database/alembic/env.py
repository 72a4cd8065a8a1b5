"""Alembic's entry for every package: writes the statements out, for the runner to execute."""

from alembic import context

context.configure(
    dialect_name="postgresql",
    # Percent signs in a migration are PostgreSQL's own.
    dialect_opts={"paramstyle": "named"},
    literal_binds=True,
    version_table_schema=context.config.attributes["schema"],
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
