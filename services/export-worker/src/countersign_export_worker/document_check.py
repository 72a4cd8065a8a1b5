"""What must be true of a document before a byte of it is written.

It is the one that push built (digest), of the content that was approved (digest in it), of
this very export, and valid against orderflow_export_json_v1. Numbers with a fraction are
read as Decimal: a float would already have lost what the check is for.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from importlib import resources
from typing import Any, NoReturn

import fastjsonschema

from countersign_core.canonical_json import sha256_hex
from countersign_export_worker.assignment import Assignment
from countersign_export_worker.errors import PermanentDeliveryError

_SCHEMA = "orderflow_export_json_v1.schema.json"
# What the message may show of a value.
_MAX_DETAIL = 300


class DocumentCheck:
    """The check, with the schema compiled once."""

    def __init__(self) -> None:
        schema = resources.files("countersign_core").joinpath("schemas", _SCHEMA)
        self._validate: Callable[[Any], Any] = fastjsonschema.compile(
            json.loads(schema.read_text("utf-8"))
        )

    def __call__(self, assignment: Assignment) -> None:
        """Pass, or say what is wrong.

        Raises:
            PermanentDeliveryError: BAD_DOCUMENT.
        """
        _require(
            sha256_hex(assignment.document) == assignment.document_sha256,
            "its bytes are not those that were announced",
        )
        document = _parse(assignment.document)
        self._check_schema(document)
        meta = document["meta"]
        _require(
            meta["content_sha256"] == assignment.content_sha256,
            "its content is not the one that was approved",
        )
        _require(
            meta["export_id"] == str(assignment.lease.export_id)
            and document["draft_order_id"] == str(assignment.draft_order_id),
            "it belongs to another export",
        )

    def _check_schema(self, document: Any) -> None:
        try:
            self._validate(document)
        except fastjsonschema.JsonSchemaException as error:
            raise _bad(str(error)[:_MAX_DETAIL]) from error


def _parse(data: bytes) -> Any:
    try:
        return json.loads(
            data.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_of_unique_keys,
        )
    except (ValueError, RecursionError) as error:
        raise _bad(f"it is not JSON: {error}"[:_MAX_DETAIL]) from error


def _object_of_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers differ in which of two equal keys they take.
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise _bad(complaint)


def _bad(complaint: str) -> PermanentDeliveryError:
    return PermanentDeliveryError("BAD_DOCUMENT", f"The document cannot leave: {complaint}")
