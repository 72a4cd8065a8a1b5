"""Settings of the audit service; each from COUNTERSIGN_<NAME> or COUNTERSIGN_<NAME>_FILE."""

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, field_validator, model_validator

from countersign_audit.seal_keys import PublicKeys, SealingKey
from countersign_platform.settings import ArchiveSettings, DatabaseSettings, ServiceSettings

# The database refuses to remove what is younger, too.
SHORTEST_RETENTION_DAYS = 365


class AuditSettings(ServiceSettings, DatabaseSettings, ArchiveSettings):
    """Everything that can differ from one installation to another."""

    listen: str = "127.0.0.1:50053"
    probe_listen: str = "127.0.0.1:9103"
    # A database of the trail's own; unset means that DATABASE_URL is the one.
    audit_database_url: SecretStr | None = None
    # For how many months after the current one partitions are kept ready.
    partition_months_ahead: int = Field(default=2, ge=1, le=24)
    # How often that is looked after.
    partition_check_seconds: float = Field(default=6 * 3600.0, gt=0)

    # Signs checkpoints and tombstones: an Ed25519 private key in PEM.
    audit_signing_key: SecretStr
    # JSON Web Key Set with the public halves of the keys that signed before.
    audit_keys: Path | None = None
    # A checkpoint is due after this many events, or after so long if there are any.
    audit_checkpoint_events: int = Field(default=10_000, ge=1, le=1_000_000)
    audit_checkpoint_seconds: float = Field(default=600.0, gt=0, le=86_400)
    # How often orgs that need one are looked for.
    audit_checkpoint_check_seconds: float = Field(default=5.0, gt=0, le=3600)

    # Months that ended so many days ago are removed; unset means that nothing is.
    audit_retention_days: int | None = None
    # How often such months are looked for.
    audit_retention_check_seconds: float = Field(default=3600.0, gt=0, le=86_400)

    @model_validator(mode="before")
    @classmethod
    def _own_database(cls, values: dict[str, Any]) -> dict[str, Any]:
        own = values.get("audit_database_url")
        return values | {"database_url": own} if own else values

    @field_validator("audit_signing_key")
    @classmethod
    def _usable_key(cls, value: SecretStr) -> SecretStr:
        SealingKey.from_pem(value.get_secret_value())
        return value

    @field_validator("audit_keys")
    @classmethod
    def _usable_keys(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                PublicKeys.from_jwks(value.read_bytes())
            except OSError as error:
                raise ValueError(f"cannot read {value}: {error.strerror}") from error
        return value

    @field_validator("audit_retention_days")
    @classmethod
    def _a_year_at_least(cls, value: int | None) -> int | None:
        if value is not None and value < SHORTEST_RETENTION_DAYS:
            raise ValueError(f"must be {SHORTEST_RETENTION_DAYS} days or more")
        return value

    @property
    def sealing_key(self) -> SealingKey:
        """The key that signs now."""
        return SealingKey.from_pem(self.audit_signing_key.get_secret_value())

    @property
    def public_keys(self) -> PublicKeys:
        """The keys of all times, the one that signs now among them."""
        known = PublicKeys.from_jwks(self.audit_keys.read_bytes()) if self.audit_keys else None
        return (known or PublicKeys({})).with_key(self.sealing_key)
