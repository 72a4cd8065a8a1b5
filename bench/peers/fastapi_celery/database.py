"""Engine and sessions."""

from collections.abc import Iterator

from settings import settings
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine(
    settings().database_url,
    pool_size=settings().pool_size,
    max_overflow=settings().pool_size,
)
# What was read is not read again after the commit, only to be written into the answer.
SessionLocal = sessionmaker(engine, expire_on_commit=False)


def get_session() -> Iterator[Session]:
    """One session per request."""
    with SessionLocal() as session:
        yield session
