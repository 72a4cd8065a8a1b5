"""Settings of the worker; each from COUNTERSIGN_<NAME> or COUNTERSIGN_<NAME>_FILE."""

import os
import socket

from pydantic import Field

from countersign_platform.settings import (
    Address,
    BrokerSettings,
    ProcessSettings,
    ServiceTokenSettings,
)


def _host_and_pid() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class WorkerSettings(ProcessSettings, BrokerSettings, ServiceTokenSettings):
    """Everything that can differ from one installation to another."""

    probe_listen: Address = "127.0.0.1:9104"
    # Where the push service answers, "host:port" or a gRPC name such as "dns:///push:50052".
    push_target: Address = "127.0.0.1:50052"
    # Who works, for people to read.
    worker_id: str = Field(default_factory=_host_and_pid, min_length=1, max_length=200)
    # Deliveries under way at once, and how many of them to one connection.
    concurrency: int = Field(default=32, ge=1, le=256)
    connection_concurrency: int = Field(default=8, ge=1, le=256)
    # Messages of the broker in hand. Small: a crash counts against every one of them.
    prefetch: int = Field(default=16, ge=1, le=256)
    # How long a question for work may wait at push, in seconds.
    claim_wait_seconds: float = Field(default=20.0, ge=0.1, le=60)
    # How long one call of a connector may take, in seconds.
    operation_timeout_seconds: float = Field(default=20.0, gt=0, le=600)
    # How long what a connector keeps open (threads, connections) is kept unused; in seconds.
    connector_idle_seconds: float = Field(default=120.0, ge=1)
    # How often what dead workers left is looked for; in seconds.
    sweep_interval_seconds: float = Field(default=300.0, gt=0)
    # How often push is asked whose answers are due to be looked for; in seconds.
    ack_ask_seconds: float = Field(default=2.0, gt=0)
