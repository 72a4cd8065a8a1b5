"""The worker, with a step at which it dies. For tests only.

    python -m countersign_export_worker.testing.crashing_worker

COUNTERSIGN_TEST_CRASH_AT      a CrashPoint, for example after_rename; unset: it lives
COUNTERSIGN_TEST_SLEEP         1: it stops there (SIGSTOP) and goes on when it is woken
COUNTERSIGN_TEST_FAIL_PUBLISH  1: every publish fails for good, so that deliveries are withdrawn
"""

import os
from functools import partial

from countersign_export_worker.__main__ import start
from countersign_export_worker.bootstrap import build
from countersign_export_worker.testing.crash_points import (
    CrashPoint,
    crashing_connector,
    crashing_work,
)


def main() -> None:
    """Run until the named step, or SIGTERM."""
    named = os.environ.get("COUNTERSIGN_TEST_CRASH_AT")
    point = CrashPoint(named) if named else None
    fail_publish = os.environ.get("COUNTERSIGN_TEST_FAIL_PUBLISH") == "1"
    start(
        partial(
            build,
            wrap_work=crashing_work(point),
            wrap_connector=crashing_connector(point, fail_publish=fail_publish),
        )
    )


if __name__ == "__main__":
    main()
