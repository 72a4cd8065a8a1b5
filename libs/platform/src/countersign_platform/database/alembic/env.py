"""Alembic's entry for every package: writes the statements out, for the runner to execute."""

from typing import Any

from alembic import context
from alembic.ddl.postgresql import PostgresqlImpl


class VerbatimImpl(PostgresqlImpl):
    """PostgreSQL, to which a script goes as it stands.

    Otherwise SQLAlchemy would take every `:word` in it for a parameter, and write NULL there.
    """

    __dialect__ = "postgresql"

    def execute(self, sql: Any, execution_options: dict[str, Any] | None = None) -> None:
        """As `op.execute` calls it."""
        if isinstance(sql, str):
            self.static_output(sql)
        else:
            super().execute(sql, execution_options)


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
