"""Settings of the approval service; each from COUNTERSIGN_<NAME> or COUNTERSIGN_<NAME>_FILE."""

from pydantic import Field

from countersign_platform.settings import (
    Address,
    DatabaseSettings,
    ServiceSettings,
    ServiceTokenSettings,
)


class ApprovalSettings(ServiceSettings, DatabaseSettings, ServiceTokenSettings):
    """Everything that can differ from one installation to another."""

    listen: Address = "127.0.0.1:50051"
    probe_listen: Address = "127.0.0.1:9101"
    # Where the audit service answers, host:port.
    audit_target: Address = "127.0.0.1:50053"
    # Approvals are refused while the audit trail lags behind by more; unset means never.
    audit_lag_limit_seconds: float | None = Field(default=None, gt=0)
    # How late a live view may be.
    watch_poll_seconds: float = Field(default=0.5, gt=0, le=10)
    # How long a live view may hear nothing.
    watch_heartbeat_seconds: float = Field(default=15.0, gt=0, le=15)
    # How long a live view can be away and still resume.
    status_changes_kept_hours: float = Field(default=24.0, ge=1)
    # How often older status changes are deleted.
    sweep_seconds: float = Field(default=600.0, gt=0)
