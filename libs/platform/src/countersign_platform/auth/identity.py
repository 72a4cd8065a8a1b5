"""Who a verified token speaks for."""

from dataclasses import dataclass
from uuid import UUID

from countersign_core.roles import Role


@dataclass(frozen=True, slots=True)
class Identity:
    """The subject of a verified token.

    Service tokens (WORKER, RELAY) carry no org; their `org_slug` is the subject.
    """

    subject: str
    roles: frozenset[Role]
    org_id: UUID | None
    org_slug: str
