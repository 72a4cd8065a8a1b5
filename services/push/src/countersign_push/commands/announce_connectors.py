"""Workers say which connectors they have; people see which there are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from countersign_core.errors import FieldError, InvalidRequest
from countersign_push.connection_config import BUILT_IN
from countersign_push.connector_type import ConnectorType
from countersign_push.store.connectors import ConnectorStore

_REFERENCES = frozenset({"$ref", "$dynamicRef"})


class AnnounceConnectors:
    """Keeps what workers announce; a built-in connector is not changed by it."""

    def __init__(self, connectors: ConnectorStore) -> None:
        self._connectors = connectors

    async def __call__(self, worker_id: str, connectors: Sequence[ConnectorType]) -> None:
        """Record them.

        Raises:
            InvalidRequest: a schema that is none.
        """
        plug_ins = [each for each in connectors if each.connector_type not in BUILT_IN]
        for connector in plug_ins:
            _require_schema(connector)
        for connector in plug_ins:
            await self._connectors.announce(worker_id, connector)


class ListConnectors:
    """The built-in connectors, and the plug-ins that a worker announced lately."""

    def __init__(self, connectors: ConnectorStore) -> None:
        self._connectors = connectors

    async def __call__(self) -> list[ConnectorType]:
        """By connector_type."""
        found = [*BUILT_IN.values(), *await self._connectors.all()]
        return sorted(found, key=lambda connector: connector.connector_type)


def _keywords(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in it, whatever the depth."""
    if isinstance(schema, Mapping):
        yield from schema.items()
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _keywords(part)


def _require_schema(connector: ConnectorType) -> None:
    for keyword, value in _keywords(connector.config_schema):
        # Nothing is fetched to resolve a reference, so one that leaves the schema never works.
        if keyword in _REFERENCES and not str(value).startswith("#"):
            problem = FieldError("config_schema_json", f"{keyword} must stay inside the schema")
            raise InvalidRequest([problem])
    try:
        Draft202012Validator.check_schema(dict(connector.config_schema))
    except SchemaError as error:
        problem = FieldError("config_schema_json", f"is no JSON Schema: {error.message}"[:500])
        raise InvalidRequest([problem]) from error
