"""An act on its way into the audit trail: the outbox row that is written with it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Act:
    """`payload` is a serialized AuditEvent; `id` is its event id."""

    id: UUID
    payload: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def columns(self) -> tuple[Any, ...]:
        """id, payload and headers, in the order that the statements take them."""
        return self.id, self.payload, self.headers
