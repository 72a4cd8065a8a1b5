"""Settings of the audit service; each from COUNTERSIGN_<NAME> or COUNTERSIGN_<NAME>_FILE."""

from pydantic import Field

from countersign_platform.settings import DatabaseSettings, ServiceSettings


class AuditSettings(ServiceSettings, DatabaseSettings):
    """Everything that can differ from one installation to another."""

    listen: str = "127.0.0.1:50053"
    probe_listen: str = "127.0.0.1:9103"
    # For how many months after the current one partitions are kept ready.
    partition_months_ahead: int = Field(default=2, ge=1, le=24)
    # How often that is looked after.
    partition_check_seconds: float = Field(default=6 * 3600.0, gt=0)
