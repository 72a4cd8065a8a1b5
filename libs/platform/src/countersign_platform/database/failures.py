"""Which failures of PostgreSQL mean "not now": the one place where they become Unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from countersign_core.errors import Unavailable

# Nothing was committed, or nobody can say; a later attempt may do better. What the caller got
# wrong (constraints, types) is not among them and passes through.
_AWAY = (
    # TimeoutError is one of them.
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.ConnectionDoesNotExistError,
    # 53: too many connections, disk full, out of memory.
    asyncpg.InsufficientResourcesError,
    # 57: shutdown, crash, still starting, statement timeout.
    asyncpg.OperatorInterventionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    # 40: deadlock or serialization failure; rolled back.
    asyncpg.TransactionRollbackError,
    # After a fail-over the old primary answers, but takes no writes.
    asyncpg.ReadOnlySQLTransactionError,
)

# A client-side timeout leaves an answer under way; a demoted primary stays one.
_BROKEN = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.ReadOnlySQLTransactionError,
)


def means_away(error: BaseException) -> bool:
    """Whether `error` says that PostgreSQL cannot serve now, not that the statement is wrong."""
    if isinstance(error, asyncpg.InterfaceError):
        # asyncpg's own word for a connection or a pool that is closed; it has no class for it.
        return "closed" in str(error) or "closing" in str(error)
    return isinstance(error, _AWAY)


def breaks_connection(error: BaseException) -> bool:
    """Whether the connection that raised `error` must not be used again."""
    if isinstance(error, asyncpg.InterfaceError):
        return means_away(error)
    return isinstance(error, _BROKEN)


@contextmanager
def failures_mapped() -> Iterator[None]:
    """Raise Unavailable for what `means_away`; everything else passes through.

    Raises:
        Unavailable: PostgreSQL is away, full, or too slow.
    """
    try:
        yield
    except Exception as error:
        if means_away(error):
            raise Unavailable("The database is not available") from error
        raise
