"""One real relay as a process of its own: `python relay_process.py SCHEMA`.

Settings come from the environment, as the services have them; RELAY_LEASE_SECONDS is how long
the rows of a relay that was killed stay leased.
"""

import asyncio
import os
import sys
from pathlib import Path

from countersign_platform.auth.service_token import ServiceToken
from countersign_platform.database.pool import Database
from countersign_platform.outbox.audit_sender import AuditSender
from countersign_platform.outbox.lane import LanePolicy
from countersign_platform.outbox.relay import Relay
from countersign_platform.outbox.row import LANE_AUDIT
from countersign_platform.process import run
from countersign_platform.rpc.channel import open_channel


async def relay(stop: asyncio.Event) -> None:
    schema = sys.argv[1]
    database = await Database.connect(os.environ["COUNTERSIGN_DATABASE_URL"], f"relay-{schema}")
    token = ServiceToken(Path(os.environ["COUNTERSIGN_SERVICE_TOKEN_FILE"]))
    channel = open_channel(os.environ["COUNTERSIGN_AUDIT_TARGET"], token=token.value)
    policy = LanePolicy(lease_seconds=float(os.environ["RELAY_LEASE_SECONDS"]))
    senders = {LANE_AUDIT: AuditSender(channel)}
    running = Relay(database, schema, senders, policies={LANE_AUDIT: policy})
    task = asyncio.create_task(running.run())
    await stop.wait()
    task.cancel()


if __name__ == "__main__":
    run(relay)
