"""Starts the push service."""

from countersign_platform.rpc.service import run_service
from countersign_push.bootstrap import build
from countersign_push.settings import PushSettings


def main() -> None:
    """Entry point of `countersign-push`."""
    run_service("push", PushSettings, build)


if __name__ == "__main__":
    main()
