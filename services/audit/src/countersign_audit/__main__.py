"""Starts the audit service."""

from countersign_audit.bootstrap import build
from countersign_audit.settings import AuditSettings
from countersign_platform.rpc.service import run_service


def main() -> None:
    """Entry point of `countersign-audit`."""
    run_service("audit", AuditSettings, build)


if __name__ == "__main__":
    main()
