"""DROPZONE_JSON_V1: one JSON file per order, dropped where the ERP looks for it.

The connection's `transport` says how the dropzone is reached. To add a transport: a function
from its settings to an ErpConnectorPort, in TRANSPORTS; and its settings in the push
service's connection_config.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.folder import FolderConnector
from countersign_export_worker.errors import PermanentDeliveryError
from countersign_export_worker.ports import ErpConnectorPort


def connector(access: ConnectionAccess) -> ErpConnectorPort:
    """The connector for one connection.

    Raises:
        PermanentDeliveryError: BAD_CONFIG.
    """
    config = _settings(access)
    transport = config.get("transport")
    if not isinstance(transport, str) or transport not in TRANSPORTS:
        raise _bad_config(f"transport must be one of {', '.join(sorted(TRANSPORTS))}")
    return TRANSPORTS[transport](config)


def _folder(config: Mapping[str, Any]) -> ErpConnectorPort:
    ack_path = _path(config, "ack_path") if config.get("ack_path") else None
    return FolderConnector(_path(config, "export_path"), ack_path)


TRANSPORTS: Mapping[str, Callable[[Mapping[str, Any]], ErpConnectorPort]] = {"folder": _folder}


def _settings(access: ConnectionAccess) -> Mapping[str, Any]:
    try:
        config = json.loads(access.config_json)
    except ValueError as error:
        raise _bad_config("the settings are not JSON") from error
    if not isinstance(config, dict):
        raise _bad_config("the settings are not a JSON object")
    return config


def _path(config: Mapping[str, Any], key: str) -> Path:
    value = config.get(key)
    # Relative to what? A worker's working directory is nobody's business.
    if not isinstance(value, str) or not Path(value).is_absolute() or "\0" in value:
        raise _bad_config(f"{key} must be an absolute path")
    return Path(value)


def _bad_config(complaint: str) -> PermanentDeliveryError:
    return PermanentDeliveryError("BAD_CONFIG", f"The connection cannot be used: {complaint}.")
