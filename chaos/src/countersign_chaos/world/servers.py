"""The servers that the stack runs on, each private to the run."""

from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass

from countersign_platform.testing.databases import Databases, cloned_database, make_template
from countersign_platform.testing.servers import (
    PostgresServer,
    RabbitServer,
    RedisServer,
    SshdServer,
)
from countersign_platform.testing.sftp_account import SftpAccount


@dataclass(frozen=True, slots=True)
class Servers:
    """All of them, running. `poor_sshd` knows neither posix-rename nor fsync."""

    postgres: PostgresServer
    rabbit: RabbitServer
    redis: RedisServer
    sshd: SshdServer
    poor_sshd: SshdServer
    databases: Databases

    def ports(self) -> dict[str, int]:
        """Port by the name that links have."""
        return {
            "postgres": self.postgres.port,
            "rabbit": self.rabbit.port,
            "redis": self.redis.port,
            "sshd": self.sshd.port,
            "poor_sshd": self.poor_sshd.port,
        }


async def start_servers(opened: AsyncExitStack) -> Servers:
    """Start all; `opened` stops them and removes their data."""
    # Stopped at the end of `opened`, whatever a fault has left of them.
    servers = opened.enter_context(ExitStack())
    # The machine itself does not lose power, so a crash of the server alone needs no fsync.
    postgres = servers.enter_context(PostgresServer(fsync=False))
    rabbit = servers.enter_context(RabbitServer())
    redis = servers.enter_context(RedisServer())
    account = servers.enter_context(SftpAccount())
    sshd = servers.enter_context(SshdServer(account))
    poor = servers.enter_context(SshdServer(account, refuse=("posix-rename", "fsync")))
    template = await make_template(postgres)
    databases = await opened.enter_async_context(cloned_database(postgres, template))
    return Servers(postgres, rabbit, redis, sshd, poor, databases)
