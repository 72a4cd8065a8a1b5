"""Settings of the push service; each from COUNTERSIGN_<NAME> or COUNTERSIGN_<NAME>_FILE."""

from countersign_platform.settings import (
    BrokerSettings,
    DatabaseSettings,
    RedisSettings,
    ServiceSettings,
    ServiceTokenSettings,
)


class PushSettings(
    ServiceSettings, DatabaseSettings, BrokerSettings, RedisSettings, ServiceTokenSettings
):
    """Everything that can differ from one installation to another."""

    listen: str = "127.0.0.1:50052"
    probe_listen: str = "127.0.0.1:9102"
    # Where the audit service answers, host:port.
    audit_target: str = "127.0.0.1:50053"
    # How long an idempotency key is honoured.
    idempotency_key_hours: float = 24.0
    # How long a replay check may wait for Redis before the database is asked instead.
    redis_timeout_seconds: float = 0.05
