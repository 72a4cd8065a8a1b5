"""The requests of a person at work, as bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bench.load.http import request


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and whom: "host:port"."""

    target: str
    token: str

    def get(self, path: str) -> bytes:
        """A read."""
        return request("GET", self.target, path, self._headers())

    def approve(self, draft_id: UUID) -> bytes:
        """POST …/approve."""
        return request("POST", self.target, f"/draft-orders/{draft_id}/approve", self._headers())

    def push(self, draft_id: UUID) -> bytes:
        """POST …/push with a key of its own."""
        headers = {**self._headers(), "Idempotency-Key": f"bench-{draft_id}"}
        return request("POST", self.target, f"/draft-orders/{draft_id}/push", headers)

    def pushes(self, ids: Sequence[UUID]) -> list[bytes]:
        """A push of each."""
        return [self.push(each) for each in ids]

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}
