"""Filters that could match nothing by mistake are refused, not answered with an empty list."""

from collections.abc import Iterator
from dataclasses import asdict

from countersign_audit.ports import EventFilters
from countersign_core.audit_actions import AuditAction
from countersign_core.errors import FieldError, InvalidRequest


def require_sensible(filters: EventFilters) -> None:
    """Lets filters through that can match something.

    Raises:
        InvalidRequest: names every field that cannot.
    """
    if errors := list(_field_errors(filters)):
        raise InvalidRequest(errors)


def _field_errors(filters: EventFilters) -> Iterator[FieldError]:
    for index, action in enumerate(filters.actions):
        if action not in AuditAction.__members__:
            yield FieldError(f"actions[{index}]", f"{action} is not an action of the audit trail")
    if bool(filters.entity_type) != bool(filters.entity_id):
        missing = "entity_id" if filters.entity_type else "entity_type"
        yield FieldError(missing, "entity_type and entity_id go together")
    for name, value in asdict(filters).items():
        if isinstance(value, str) and "\0" in value:
            yield FieldError(name, "must not contain the character NUL")
