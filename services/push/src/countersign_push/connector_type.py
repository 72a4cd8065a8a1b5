"""A connector that can serve connections, and what its connections may be set to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ConnectorType:
    """`config_schema` is a JSON Schema (2020-12) of a connection's settings."""

    connector_type: str
    config_schema: Mapping[str, Any]
    secret_names: frozenset[str]
    title: str = ""
