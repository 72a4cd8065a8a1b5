"""The rules in the protos, applied to a request: every violation is named at once."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message
from protovalidate import Validator, Violation

from countersign_core.errors import FieldError, InvalidRequest

_VALIDATOR = Validator()


def require_valid(request: Message) -> None:
    """Returns when the request keeps every rule.

    Raises:
        InvalidRequest: with all violations, each with its path such as `content.lines[3].qty`.
    """
    violations = _VALIDATOR.collect_violations(request)
    if violations:
        raise InvalidRequest(_field_error(violation) for violation in violations)


def _field_error(violation: Violation) -> FieldError:
    proto = violation.proto
    path = _path(proto.field.elements) if proto.field is not None else ""
    return FieldError(path or "request", proto.message or proto.rule_id or "is not valid")


def _path(elements: Iterable[Any]) -> str:
    return ".".join(_step(element) for element in elements)


def _step(element: Any) -> str:
    subscript = element.subscript
    if subscript is None:
        return str(element.field_name)
    key = f'"{subscript.value}"' if isinstance(subscript.value, str) else subscript.value
    return f"{element.field_name}[{key}]"
