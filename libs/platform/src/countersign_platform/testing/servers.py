"""The servers that tests start for themselves, each private to the test run."""

from countersign_platform.testing.postgres_server import PostgresServer, StopMode
from countersign_platform.testing.rabbit_server import RabbitServer
from countersign_platform.testing.redis_server import RedisServer
from countersign_platform.testing.s3_server import S3Server
from countersign_platform.testing.server_process import ServerMissingError, ServerStartError
from countersign_platform.testing.sshd_server import SshdServer

__all__ = [
    "PostgresServer",
    "RabbitServer",
    "RedisServer",
    "S3Server",
    "ServerMissingError",
    "ServerStartError",
    "SshdServer",
    "StopMode",
]
