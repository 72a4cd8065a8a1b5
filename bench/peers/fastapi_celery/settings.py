"""What the peer is told by its environment."""

from functools import lru_cache

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """PEER_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="PEER_")

    database_url: str
    redis_url: str
    broker_url: str
    public_key: str
    """PEM of the key that tokens are signed with."""
    issuer: str
    audience: str
    pool_size: int = 20
    """Per process; as many again may overflow: together the 40 threads of a uvicorn worker."""


@lru_cache
def settings() -> Settings:
    """Read once, as FastAPI's documentation advises."""
    return Settings()
