"""Roles as tokens carry them, and sets of them that calls ask for."""

from enum import StrEnum


class Role(StrEnum):
    """What a caller may do. A token can carry several."""

    # Everything a person may do in the org.
    ADMIN = "ADMIN"
    # Connections, imports, audit, read.
    INTEGRATOR = "INTEGRATOR"
    # Read, edit, approve, push.
    OPERATOR = "OPERATOR"
    # Read.
    VIEWER = "VIEWER"
    # Services only: an export worker. Acts for every org, carries none.
    WORKER = "WORKER"
    # Services only: an outbox relay that appends to the audit trail.
    RELAY = "RELAY"


ALIASES = {"OPS": Role.OPERATOR}

READERS = frozenset({Role.ADMIN, Role.INTEGRATOR, Role.OPERATOR, Role.VIEWER})
OPERATORS = frozenset({Role.ADMIN, Role.OPERATOR})
INTEGRATORS = frozenset({Role.ADMIN, Role.INTEGRATOR})
SUBMITTERS = frozenset({Role.ADMIN, Role.INTEGRATOR, Role.OPERATOR})
ADMINS = frozenset({Role.ADMIN})
WORKERS = frozenset({Role.WORKER})
RELAYS = frozenset({Role.RELAY})
SERVICE_ROLES = frozenset({Role.WORKER, Role.RELAY})


def parse_roles(values: list[str]) -> frozenset[Role]:
    """Roles from a token's claim; names nobody knows are left out."""
    known = (ALIASES.get(value.upper(), value.upper()) for value in values)
    return frozenset(Role(value) for value in known if value in Role.__members__)
