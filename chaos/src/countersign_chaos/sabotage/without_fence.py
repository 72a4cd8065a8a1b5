"""The push service, taking the report of any earlier lease for the current one's."""

from types import ModuleType

from countersign_push import __main__ as push
from countersign_push.store import reports, reports_together

_STATEMENTS = ("STAGED", "SENT", "FAILED", "DEFERRED", "HELD", "RENEW", "RELEASE")
_TOGETHER = ("STAGED_TOGETHER", "SENT_TOGETHER")


def main() -> None:
    """Start it."""
    for name in _STATEMENTS:
        _alter(reports, name, "e.fence = $3")
    for name in _TOGETHER:
        _alter(reports_together, name, "e.fence = r.fence")
    push.main()


def _alter(module: ModuleType, name: str, condition: str) -> None:
    statement: str = getattr(module, name)
    altered = statement.replace(condition, condition.replace(" = ", " >= "))
    if altered == statement:
        raise RuntimeError(f"{name} does not look at the fence as it did")
    setattr(module, name, altered)


if __name__ == "__main__":
    main()
