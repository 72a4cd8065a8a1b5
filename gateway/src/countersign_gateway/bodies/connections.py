"""ERP connections that callers make and change."""

import json
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, StrictInt, field_validator, model_validator

from countersign.push.v1 import connection_service_pb2 as connections
from countersign_gateway.bodies.fields import Body
from countersign_gateway.replies.connections import ConnectionStatus

_MAX_CONFIG_CHARACTERS = 20_000


def _config_json(config: dict[str, Any]) -> str:
    return json.dumps(config, ensure_ascii=False, separators=(",", ":"))


def _small(config: dict[str, Any] | None) -> dict[str, Any] | None:
    if config is not None and len(_config_json(config)) > _MAX_CONFIG_CHARACTERS:
        raise ValueError(f"must have at most {_MAX_CONFIG_CHARACTERS} characters as JSON")
    return config


class DeliveryTermsBody(Body):
    """A connection's own limits; null or left out: the installation's."""

    max_attempts: StrictInt | None = Field(None, ge=1, le=1000)
    """Attempts, after the last of which a transient failure ends the export."""
    first_delay_seconds: float | None = Field(None, gt=0, le=3600)
    """Delay after the first failed attempt; doubles with each."""
    longest_delay_seconds: float | None = Field(None, gt=0, le=86_400)
    """Longest delay."""
    concurrency: StrictInt | None = Field(None, ge=1, le=256)
    """Deliveries that one worker has under way to it at once."""
    ack_sla_seconds: float | None = Field(None, gt=0, le=31_536_000)
    """How long after delivery the ERP's answer is overdue; null: never."""
    ack_poll_seconds: float | None = Field(None, ge=1, le=86_400)
    """How often answers are looked for."""

    def message(self) -> connections.DeliveryTerms:
        """On the wire."""
        return connections.DeliveryTerms(**self.model_dump(exclude_none=True))


class SwitchConnectionBody(Body):
    """Why a connection is paused or resumed."""

    reason: str = Field("", max_length=2000)
    """Kept in the audit trail."""


class CreateConnectionBody(Body):
    """A new connection."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Main ERP",
                    "connector_type": "DROPZONE_JSON_V1",
                    "config": {"transport": "folder", "export_path": "/srv/erp/in"},
                    "test_on_save": True,
                }
            ]
        }
    )

    name: str = Field(min_length=1, max_length=200)
    """Your name for it."""
    connector_type: str = Field(pattern=r"^[A-Z][A-Z0-9_]{2,63}$")
    """Connector that serves it."""
    config: dict[str, Any]
    """The connector's settings."""
    secrets: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Secrets by name; written, never read back."""
    test_on_save: StrictBool = False
    """Test before saving; a failed test saves nothing."""
    terms: DeliveryTermsBody = Field(default_factory=lambda: DeliveryTermsBody.model_validate({}))
    """Its own limits."""

    _config_is_small = field_validator("config")(_small)


class UpdateConnectionBody(Body):
    """What changes; a member that is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=200)
    """New name."""
    config: dict[str, Any] | None = None
    """New settings, whole: they replace the old ones and are not merged."""
    secrets: dict[str, str | None] = Field(default_factory=dict, max_length=20)
    """Secrets to set; the others stay. Null removes one."""
    status: ConnectionStatus | None = None
    """New status."""
    terms: DeliveryTermsBody | None = None
    """New limits, whole; one that is left out goes back to the installation's."""
    test_on_save: StrictBool = False
    """Test before saving; a failed test saves nothing."""

    _config_is_small = field_validator("config")(_small)

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateConnectionBody":
        changed = self.model_fields_set - {"test_on_save"}
        if not changed:
            raise ValueError("name at least one field to change")
        cleared = [name for name in ("name", "config", "status", "terms") if name in changed]
        if any(getattr(self, name) is None for name in cleared):
            raise ValueError("name, config, status and terms cannot be cleared")
        return self


def create_request(body: CreateConnectionBody) -> connections.CreateConnectionRequest:
    """The message for a new connection."""
    return connections.CreateConnectionRequest(
        name=body.name,
        connector_type=body.connector_type,
        config_json=_config_json(body.config),
        secrets=body.secrets,
        test_on_save=body.test_on_save,
        terms=body.terms.message(),
    )


def update_request(
    connection_id: UUID, expected: int | None, body: UpdateConnectionBody
) -> connections.UpdateConnectionRequest:
    """The message for a change."""
    status = f"CONNECTION_STATUS_{body.status.value if body.status else 'UNSPECIFIED'}"
    return connections.UpdateConnectionRequest(
        erp_connection_id=str(connection_id),
        expected_version=expected,
        name=body.name,
        config_json=None if body.config is None else _config_json(body.config),
        secrets={name: value or "" for name, value in body.secrets.items()},
        status=connections.ConnectionStatus.Value(status),
        terms=None if body.terms is None else body.terms.message(),
        test_on_save=body.test_on_save,
    )
