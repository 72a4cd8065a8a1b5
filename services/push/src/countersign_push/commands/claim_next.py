"""A worker asks for due work of any org, and waits for it."""

import time
from collections.abc import Sequence
from uuid import uuid4

from countersign_push.assignment import Assignment
from countersign_push.commands.assign import Assign
from countersign_push.commands.keep_lease import ReleaseLease
from countersign_push.lease import Lease, LeaseLost
from countersign_push.lease_terms import LeaseTerms
from countersign_push.store.work import Claimed, Position, Room, WorkStore
from countersign_push.waiting_room import WaitingRoom

# A reply stays well below the 32 MiB that a message may have.
_REPLY_BYTES = 16 * 2**20


class ClaimNext:
    """Leases due exports, fairly across orgs and their connections.

    Each call begins behind the connection that was served last, at a random place in a new
    process, so that replicas do not move in step.
    """

    def __init__(
        self,
        work: WorkStore,
        assign: Assign,
        release: ReleaseLease,
        room: WaitingRoom,
        terms: LeaseTerms,
    ) -> None:
        self._work = work
        self._assign = assign
        self._release = release
        self._room = room
        self._terms = terms
        self._after = Position(uuid4(), uuid4())

    async def __call__(
        self, worker_id: str, max_assignments: int, wait_seconds: float, room: Room
    ) -> list[Assignment]:
        """At most `max_assignments`, and of each connection what the worker has `room` for.

        Empty when nothing became due within `wait_seconds`.
        """
        deadline = time.monotonic() + wait_seconds
        while not self._room.closed:
            with self._room.seat() as seat:
                claimed = await self._claim(worker_id, max_assignments, room)
                assignments = await self._assign_all(claimed)
                if assignments:
                    return assignments
                # What was claimed but could not be assigned must not end the turn of the rest.
                if not claimed and not await seat.wait(deadline - time.monotonic()):
                    break
        return []

    async def _claim(self, worker_id: str, limit: int, room: Room) -> list[Claimed]:
        claimed = await self._work.claim_next(
            worker_id, self._terms.lease_seconds, self._after, limit, room
        )
        if claimed:
            last = claimed[-1].export
            self._after = Position(last.org_id, last.connection_id)
        return claimed

    async def _assign_all(self, claimed: Sequence[Claimed]) -> list[Assignment]:
        """Assignments that fit into one reply; what does not is due again at once."""
        assignments: list[Assignment] = []
        room_left = _REPLY_BYTES
        for item in claimed:
            room_left -= len(item.content or "")
            if assignments and room_left < 0:
                await self._give_back(item)
            elif assignment := await self._assign(item):
                assignments.append(assignment)
        return assignments

    async def _give_back(self, item: Claimed) -> None:
        export = item.export
        try:
            await self._release(Lease(export.org_id, export.id, export.fence))
        except LeaseLost:
            return  # somebody else has it already
