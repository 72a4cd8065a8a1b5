"""Starts the approval service."""

from countersign_approval.bootstrap import build
from countersign_approval.settings import ApprovalSettings
from countersign_platform.rpc.service import run_service


def main() -> None:
    """Entry point of `countersign-approval`."""
    run_service("approval", ApprovalSettings, build)


if __name__ == "__main__":
    main()
