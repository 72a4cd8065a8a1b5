"""A private server that speaks S3 (moto), as its own process."""

import importlib.util
import sys
import urllib.request

from countersign_platform.testing.ports import HOST, answers, free_ports
from countersign_platform.testing.server_process import ServerMissingError, ServerProcess

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test-only",
    "AWS_REGION": "us-east-1",
}


class S3Server(ServerProcess):
    """S3 on a free port, without buckets; what it holds is gone when it stops."""

    # What a client must find in its environment; the server takes any credentials.
    environment = _ENVIRONMENT

    def __init__(self) -> None:
        if importlib.util.find_spec("moto") is None:
            raise ServerMissingError("moto")
        super().__init__("s3")
        self.port = free_ports(1)[0]

    @property
    def endpoint(self) -> str:
        """URL of the server."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start, empty."""
        command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.port)]
        self._launch(command)
        self._wait_ready(lambda: answers(self.port), 60.0)

    def make_bucket(self, name: str) -> str:
        """Create it; its URL."""
        request = urllib.request.Request(f"{self.endpoint}/{name}", method="PUT")  # noqa: S310 — our own server
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310 — as above
            return f"s3://{name}"

    def overwrite(self, bucket: str, key: str, data: bytes) -> None:
        """Change an object behind everybody's back."""
        # Not every distribution whose tests load this module has it.
        from obstore.store import S3Store  # noqa: PLC0415

        store = S3Store(bucket, endpoint=self.endpoint, client_options={"allow_http": True})
        store.put(key, data)
