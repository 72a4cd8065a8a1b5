"""What an ERP connection may be set to, per connector and transport. Pure.

The built-in connectors stand here: to add a transport, its keys and their checks in _DROPZONE,
and a line in the connector guide. A plug-in brings a JSON Schema. Every malformed field is
reported, not only the first.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry

from countersign_core.connector_schemas import (
    OWN_HEADER_PREFIX,
    RESERVED_HEADERS,
    connector_schema,
)
from countersign_core.errors import FieldError, InvalidRequest
from countersign_push import setting_checks as checks
from countersign_push.connector_type import ConnectorType
from countersign_push.setting_checks import Check

_MAX_SECRET = 20_000
# Whoever can guess one can sign orders.
_SIGNING_SECRETS = frozenset({"hmac_secret", "hmac_secret_previous"})
_LEAST_SIGNING_SECRET = 16


@dataclass(frozen=True, slots=True)
class _Transport:
    """Keys beside `transport` itself, each with its check.

    `login`: secrets of which a connection must have one at least.
    """

    required: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict)
    login: frozenset[str] = frozenset()

    def problems(self, config: Mapping[str, Any]) -> Iterator[FieldError]:
        known = {**self.required, **self.optional}
        for key in config.keys() - known.keys() - {"transport"}:
            yield _problem(key, "is not known")
        for key in self.required.keys() - config.keys():
            yield _problem(key, "is required")
        for key in known.keys() & config.keys():
            if complaint := known[key](config[key]):
                yield _problem(key, complaint)


_DROP: Mapping[str, Check] = {
    "atomic_write": checks.only_true,
    "temporary_suffix": checks.temporary_suffix,
    "temporary_path": checks.absolute_path,
    "done_file": checks.done_suffix,
    "ack_path": checks.absolute_path,
    "ack_mode": checks.one_of("json", "presence", "none"),
    "file_permissions": checks.permissions,
    "folder_permissions": checks.permissions,
}

_TRANSPORTS: Mapping[str, _Transport] = {
    "folder": _Transport(required={"export_path": checks.absolute_path}, optional=_DROP),
    "sftp": _Transport(
        required={
            "export_path": checks.absolute_path,
            "host": checks.host,
            "username": checks.user_name,
            "host_keys": checks.host_keys,
        },
        optional={
            **_DROP,
            "port": checks.whole_number(1, 65535),
            "connect_timeout_seconds": checks.seconds(300),
            "transfer_timeout_seconds": checks.seconds(3600),
            "keepalive_seconds": checks.seconds(3600),
        },
        login=frozenset({"password", "private_key"}),
    ),
}

BUILT_IN: Mapping[str, ConnectorType] = {
    "DROPZONE_JSON_V1": ConnectorType(
        connector_type="DROPZONE_JSON_V1",
        config_schema={
            "type": "object",
            "required": ["transport"],
            "oneOf": [
                {
                    "properties": {
                        "transport": {"const": name},
                        **{key: {} for key in (*transport.required, *transport.optional)},
                    },
                    "required": ["transport", *transport.required],
                    "additionalProperties": False,
                }
                for name, transport in _TRANSPORTS.items()
            ],
        },
        secret_names=frozenset({"password", "private_key", "private_key_passphrase"}),
        title="One JSON file per order, in a folder or over SFTP",
    ),
    "HTTP_JSON_V1": ConnectorType(
        connector_type="HTTP_JSON_V1",
        config_schema=connector_schema("HTTP_JSON_V1"),
        secret_names=frozenset({"hmac_secret", "hmac_secret_previous", "bearer_token"}),
        title="One signed POST per order to an HTTP endpoint",
    ),
}


def parse_config(
    connector_type: str, config_json: str, plug_in: ConnectorType | None = None
) -> dict[str, Any]:
    """The settings as an object, checked against what the connector knows.

    `plug_in` is the connector when it is not a built-in one.

    Raises:
        InvalidRequest: with one field error per malformed key.
    """
    connector = _connector(connector_type, plug_in)
    config = _json_object(config_json)
    if connector_type != "DROPZONE_JSON_V1":
        _check_schema(connector, config)
        if connector_type == "HTTP_JSON_V1":
            _check_headers(config)
        return config
    transport = config.get("transport")
    if not isinstance(transport, str) or transport not in _TRANSPORTS:
        names = ", ".join(sorted(_TRANSPORTS))
        raise InvalidRequest([_problem("transport", f"must be one of: {names}")])
    if problems := list(_TRANSPORTS[transport].problems(config)):
        raise InvalidRequest(sorted(problems, key=lambda problem: problem.field))
    return config


def check_secrets(
    connector_type: str,
    secrets: Mapping[str, str],
    plug_in: ConnectorType | None = None,
    *,
    may_remove: bool = False,
) -> None:
    """Refuse secrets that the connector has no use for; values never show in the refusal.

    `may_remove` allows empty values, which an update uses to remove a secret.

    Raises:
        InvalidRequest: with one field error per malformed secret.
    """
    connector = _connector(connector_type, plug_in)
    problems = [
        FieldError(f"secrets.{name}", complaint)
        for name, value in sorted(secrets.items())
        if (complaint := _secret_complaint(connector, name, value, may_remove=may_remove))
    ]
    if problems:
        raise InvalidRequest(problems)


def check_login(connector_type: str, config: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    """Refuse a connection that has no way to log in.

    Raises:
        InvalidRequest: on the field `secrets`.
    """
    if connector_type == "HTTP_JSON_V1" and "hmac_secret" not in secrets:
        raise InvalidRequest([FieldError("secrets", "must have hmac_secret")])
    transport = _TRANSPORTS.get(config.get("transport", ""))
    if connector_type != "DROPZONE_JSON_V1" or transport is None or not transport.login:
        return
    if not transport.login & secrets.keys():
        names = " or ".join(sorted(transport.login))
        raise InvalidRequest([FieldError("secrets", f"must have {names}")])


def _check_headers(config: Mapping[str, Any]) -> None:
    names = sorted(config.get("headers", {}))
    taken = [
        _problem(f"headers.{name}", "is set by the connector itself")
        for name in names
        if name.lower() in RESERVED_HEADERS or name.lower().startswith(OWN_HEADER_PREFIX)
    ]
    if taken:
        raise InvalidRequest(taken)


def _check_schema(connector: ConnectorType, config: Mapping[str, Any]) -> None:
    # An empty registry: a reference in a plug-in's schema fetches nothing.
    validator = Draft202012Validator(dict(connector.config_schema), registry=Registry())
    problems = [
        _problem(".".join(map(str, error.absolute_path)) or "", error.message[:300])
        for error in validator.iter_errors(config)
    ]
    if problems:
        raise InvalidRequest(sorted(problems, key=lambda problem: problem.field))


def _secret_complaint(
    connector: ConnectorType, name: str, value: str, *, may_remove: bool
) -> str | None:
    if name not in connector.secret_names:
        return f"must be one of: {', '.join(sorted(connector.secret_names))}"
    if not value and not may_remove:
        return "must not be empty"
    is_signing = connector.connector_type == "HTTP_JSON_V1" and name in _SIGNING_SECRETS
    if value and is_signing and len(value) < _LEAST_SIGNING_SECRET:
        return f"must have at least {_LEAST_SIGNING_SECRET} characters"
    if len(value) > _MAX_SECRET:
        return f"must have at most {_MAX_SECRET} characters"
    return None


def _connector(connector_type: str, plug_in: ConnectorType | None) -> ConnectorType:
    connector = BUILT_IN.get(connector_type, plug_in)
    if connector is None:
        names = ", ".join(sorted(BUILT_IN))
        problem = f"must be one of: {names}, or a connector that a worker announced"
        raise InvalidRequest([FieldError("connector_type", problem)])
    return connector


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest([FieldError("config_json", "is not JSON")]) from None
    if not isinstance(value, dict):
        raise InvalidRequest([FieldError("config_json", "must be a JSON object")])
    return value


def _problem(key: str, complaint: str) -> FieldError:
    return FieldError(f"config_json.{key}" if key else "config_json", complaint)
