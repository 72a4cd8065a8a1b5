"""Settings of the push service; each from COUNTERSIGN_<NAME> or COUNTERSIGN_<NAME>_FILE."""

from pydantic import Field, SecretStr, field_validator

from countersign_platform.settings import (
    ArchiveSettings,
    BrokerSettings,
    DatabaseSettings,
    RedisSettings,
    ServiceSettings,
    ServiceTokenSettings,
)
from countersign_push.secret_box import KeyRing


class PushSettings(
    ServiceSettings,
    DatabaseSettings,
    BrokerSettings,
    RedisSettings,
    ArchiveSettings,
    ServiceTokenSettings,
):
    """Everything that can differ from one installation to another."""

    listen: str = "127.0.0.1:50052"
    probe_listen: str = "127.0.0.1:9102"
    # Where the audit service answers, host:port.
    audit_target: str = "127.0.0.1:50053"
    # How long an idempotency key is honoured.
    idempotency_key_hours: float = Field(default=24.0, gt=0, le=720)
    # How long a replay check may wait for Redis before the database is asked instead.
    redis_timeout_seconds: float = Field(default=0.05, gt=0, le=5)

    # Keys that seal the secrets of connections: "id:base64,id2:base64", 32 bytes each; the
    # first is the current one.
    secret_keys: SecretStr
    # How long a worker may hold an export before others may take it.
    lease_seconds: float = Field(default=30.0, ge=1, le=3600)
    # The attempt at which a transient failure ends the export.
    max_attempts: int = Field(default=10, ge=1, le=1000)
    # Delay after the first failed attempt; doubles with each, up to the cap.
    backoff_base_seconds: float = Field(default=2.0, gt=0, le=3600)
    backoff_cap_seconds: float = Field(default=600.0, gt=0, le=86_400)
    # Share of the delay that chance may take away, 0 to 1.
    backoff_jitter: float = Field(default=0.25, ge=0, le=1)
    # How often one query looks for due work while workers wait.
    claim_poll_seconds: float = Field(default=0.5, gt=0, le=60)
    # How often due exports that nobody took are offered again, and after how long without a taker.
    reconcile_seconds: float = Field(default=2.0, gt=0, le=3600)
    offer_again_after_seconds: float = Field(default=30.0, gt=0, le=86_400)
    # How long past its time a pending export counts as stuck.
    stuck_after_seconds: float = Field(default=60.0, gt=0, le=86_400)
    # How often expired idempotency keys and old connection tests are cleared away.
    sweep_seconds: float = Field(default=60.0, gt=0, le=86_400)
    # How often delivered exports are looked for that are not archived.
    archive_backfill_seconds: float = Field(default=300.0, gt=0, le=86_400)
    # How long a worker may take for a connection test before another gets it.
    connection_test_lease_seconds: float = Field(default=10.0, ge=1, le=60)

    # How often a connection's answers are looked for, and how long a worker may take to look.
    ack_interval_seconds: float = Field(default=60.0, gt=0, le=86_400)
    ack_poll_lease_seconds: float = Field(default=30.0, ge=1, le=3600)

    @field_validator("secret_keys")
    @classmethod
    def _usable_keys(cls, value: SecretStr) -> SecretStr:
        KeyRing.parse(value.get_secret_value())
        return value
