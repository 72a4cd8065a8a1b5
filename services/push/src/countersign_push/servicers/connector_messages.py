"""Connector types on the wire."""

import json

from countersign.push.v1 import connection_service_pb2 as pb
from countersign_core.errors import FieldError, InvalidRequest
from countersign_push.connector_type import ConnectorType
from countersign_push.plain_text import plain


def announced(message: pb.ConnectorType) -> ConnectorType:
    """What a worker says that it can serve.

    Raises:
        InvalidRequest: the schema is not a JSON object.
    """
    try:
        schema = json.loads(message.config_schema_json)
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict):
        raise InvalidRequest([FieldError("config_schema_json", "must be a JSON object")])
    return ConnectorType(
        connector_type=message.connector_type,
        config_schema=schema,
        secret_names=frozenset(message.secret_names),
        title=plain(message.title),
    )


def to_message(connector: ConnectorType) -> pb.ConnectorType:
    """For people and forms."""
    return pb.ConnectorType(
        connector_type=connector.connector_type,
        config_schema_json=json.dumps(connector.config_schema, sort_keys=True),
        secret_names=sorted(connector.secret_names),
        title=connector.title,
    )
