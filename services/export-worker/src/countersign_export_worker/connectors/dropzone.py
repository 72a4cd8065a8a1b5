"""DROPZONE_JSON_V1: one JSON file per order, dropped where the ERP looks for it.

The connection's `transport` says how the dropzone is reached. To add a transport: a function
from its settings to an AnyConnector, in TRANSPORTS; and its settings in the push
service's connection_config.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from countersign_core.connector_schemas import connector_schema
from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.dropzone_options import DropzoneOptions, bad_config
from countersign_export_worker.connectors.folder import FolderConnector
from countersign_export_worker.ports import AnyConnector, ConnectorType


def connector(access: ConnectionAccess) -> AnyConnector:
    """The connector for one connection.

    Raises:
        PermanentDeliveryError: BAD_CONFIG.
    """
    config = _settings(access)
    transport = config.get("transport")
    if not isinstance(transport, str) or transport not in TRANSPORTS:
        raise bad_config(f"transport must be one of {', '.join(sorted(TRANSPORTS))}")
    return TRANSPORTS[transport](config, access)


def _folder(config: Mapping[str, Any], access: ConnectionAccess) -> AnyConnector:
    del access  # a folder needs no secrets
    return FolderConnector(DropzoneOptions.parse(config))


def _sftp(config: Mapping[str, Any], access: ConnectionAccess) -> AnyConnector:
    # Loads asyncssh, which a worker without such a connection does without.
    from countersign_export_worker.connectors.sftp import (  # noqa: PLC0415
        SftpConnector,
    )
    from countersign_export_worker.connectors.sftp_settings import (  # noqa: PLC0415
        sftp_settings,
    )

    return SftpConnector(sftp_settings(config, access))


TRANSPORTS: Mapping[str, Callable[[Mapping[str, Any], ConnectionAccess], AnyConnector]] = {
    "folder": _folder,
    "sftp": _sftp,
}


DROPZONE_JSON_V1 = ConnectorType(
    open_connector=connector,
    config_schema=connector_schema("DROPZONE_JSON_V1"),
    secret_names=frozenset({"password", "private_key", "private_key_passphrase"}),
    title="One JSON file per order, in a folder or over SFTP",
)


def _settings(access: ConnectionAccess) -> Mapping[str, Any]:
    try:
        config = json.loads(access.config_json)
    except ValueError as error:
        raise bad_config("the settings are not JSON") from error
    if not isinstance(config, dict):
        raise bad_config("the settings are not a JSON object")
    return config
