"""Every test may use the fixtures of the platform: real servers, databases, tokens."""

import os
import sys

import pytest

# Servers are started under another user, which takes a real fork; gRPC's own fork hooks would
# break the child while a channel of some other test is open. Read when grpc is imported.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

# Hundreds of processes are started; each would compile all that it imports anew, 2 s of a core.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Files that take long go first, the longest in front: at the end of a run none of them keeps one
# worker busy while the others have nothing left to do.
LONG = (
    "tests/e2e/test_races.py",
    "tests/e2e/test_integrator.py",
    "tests/e2e/test_real_orders.py",
    "tests/chaos/test_outages.py",
    "services/export-worker/tests/test_crashes.py",
    "tests/chaos/test_audit_under_fire.py",
    "tests/chaos/test_storm.py",
    "tests/integration/test_bulkheads.py",
    "tests/integration/test_every_act_is_on_record.py",
    "tests/console/test_draft_actions.py",
    "tests/console/test_connections.py",
    "tests/e2e/test_rest_access.py",
    "tests/console/test_draft_edit.py",
    "services/export-worker/tests/test_delivery_model.py",
    "libs/platform/tests/test_servers.py",
    "tests/e2e/test_large_orders.py",
)

pytest_plugins = ["countersign_platform.testing.plugin"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files in front; of the others, and within a file, the order stays."""
    rank = {name: n for n, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(LONG)))
