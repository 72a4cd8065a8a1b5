"""The push service, taking the report of any earlier lease for the current one's."""

from countersign_push import __main__ as push
from countersign_push.store import reports

_STATEMENTS = ("STAGED", "SENT", "FAILED", "DEFERRED", "HELD", "RENEW", "RELEASE")


def main() -> None:
    """Start it."""
    for name in _STATEMENTS:
        statement: str = getattr(reports, name)
        altered = statement.replace("e.fence = $3", "e.fence >= $3")
        if altered == statement:
            raise RuntimeError(f"{name} does not look at the fence as it did")
        setattr(reports, name, altered)
    push.main()


if __name__ == "__main__":
    main()
