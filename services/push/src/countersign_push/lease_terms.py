"""How long a worker may hold an export, and how soon a failed attempt is tried again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """Lengths in seconds; the database's clock applies them.

    An attempt that failed is tried again after backoff_base * 2**(attempt - 1), at most
    backoff_cap, less a random share of up to `backoff_jitter` (0 to 1).
    """

    lease_seconds: float = 30.0
    max_attempts: int = 10
    backoff_base: float = 2.0
    backoff_cap: float = 600.0
    backoff_jitter: float = 0.25
