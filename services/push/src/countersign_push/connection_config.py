"""What an ERP connection may be set to, per connector and transport. Pure.

To add a transport: its keys and their checks in _TRANSPORTS, and a line in the connector
guide. Every malformed field is reported, not only the first.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from countersign_core.errors import FieldError, InvalidRequest

_MAX_PATH = 1000
_MAX_SECRET = 20_000

# Says what is wrong with a value, or None.
_Check = Callable[[Any], str | None]


def absolute_path(value: Any) -> str | None:
    """A POSIX path from the root, without "..", in printable characters."""
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_PATH or not value.isprintable():
        return f"must be a path of 1 to {_MAX_PATH} printable characters"
    path = PurePosixPath(value)
    if not path.is_absolute() or ".." in path.parts:
        return "must be an absolute path without '..'"
    return None


@dataclass(frozen=True, slots=True)
class _Transport:
    """Keys beside `transport` itself, each with its check."""

    required: Mapping[str, _Check]
    optional: Mapping[str, _Check] = field(default_factory=dict)

    def problems(self, config: Mapping[str, Any]) -> Iterator[FieldError]:
        known = {**self.required, **self.optional}
        for key in config.keys() - known.keys() - {"transport"}:
            yield _problem(key, "is not known")
        for key in self.required.keys() - config.keys():
            yield _problem(key, "is required")
        for key in known.keys() & config.keys():
            if complaint := known[key](config[key]):
                yield _problem(key, complaint)


@dataclass(frozen=True, slots=True)
class _Connector:
    """A connector's transports, and the secrets that one or the other of them can use."""

    transports: Mapping[str, _Transport]
    secret_names: frozenset[str]


_CONNECTORS: Mapping[str, _Connector] = {
    "DROPZONE_JSON_V1": _Connector(
        transports={
            "folder": _Transport(
                required={"export_path": absolute_path}, optional={"ack_path": absolute_path}
            ),
        },
        secret_names=frozenset({"password", "private_key", "private_key_passphrase"}),
    ),
}


def parse_config(connector_type: str, config_json: str) -> dict[str, Any]:
    """The settings as an object, checked against what the connector knows.

    Raises:
        InvalidRequest: with one field error per malformed key.
    """
    connector = _connector(connector_type)
    config = _json_object(config_json)
    transport = config.get("transport")
    if not isinstance(transport, str) or transport not in connector.transports:
        names = ", ".join(sorted(connector.transports))
        raise InvalidRequest([_problem("transport", f"must be one of: {names}")])
    if problems := list(connector.transports[transport].problems(config)):
        raise InvalidRequest(sorted(problems, key=lambda problem: problem.field))
    return config


def check_secrets(
    connector_type: str, secrets: Mapping[str, str], *, may_remove: bool = False
) -> None:
    """Refuse secrets that the connector has no use for; values never show in the refusal.

    `may_remove` allows empty values, which an update uses to remove a secret.

    Raises:
        InvalidRequest: with one field error per malformed secret.
    """
    connector = _connector(connector_type)
    problems = [
        FieldError(f"secrets.{name}", complaint)
        for name, value in sorted(secrets.items())
        if (complaint := _secret_complaint(connector, name, value, may_remove=may_remove))
    ]
    if problems:
        raise InvalidRequest(problems)


def _secret_complaint(
    connector: _Connector, name: str, value: str, *, may_remove: bool
) -> str | None:
    if name not in connector.secret_names:
        return f"must be one of: {', '.join(sorted(connector.secret_names))}"
    if not value and not may_remove:
        return "must not be empty"
    if len(value) > _MAX_SECRET:
        return f"must have at most {_MAX_SECRET} characters"
    return None


def _connector(connector_type: str) -> _Connector:
    connector = _CONNECTORS.get(connector_type)
    if connector is None:
        names = ", ".join(sorted(_CONNECTORS))
        raise InvalidRequest([FieldError("connector_type", f"must be one of: {names}")])
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
    return FieldError(f"config_json.{key}", complaint)
