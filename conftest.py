"""Every test may use the fixtures of the platform: real servers, databases, tokens."""

import os
import sys

# Servers are started under another user, which takes a real fork; gRPC's own fork hooks would
# break the child while a channel of some other test is open. Read when grpc is imported.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

# Hundreds of processes are started; each would compile all that it imports anew, 2 s of a core.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

pytest_plugins = ["countersign_platform.testing.plugin"]
