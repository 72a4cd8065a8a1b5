"""One lane of a relay: lease, send, settle, until nothing is left; then wait for a poke."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field

import structlog

from countersign_core.errors import Unavailable
from countersign_platform.backoff import Backoff
from countersign_platform.outbox import metrics
from countersign_platform.outbox.isolate import send_isolating
from countersign_platform.outbox.row import OutboxRow
from countersign_platform.outbox.sender import Sender
from countersign_platform.outbox.store import OutboxStore, RowPolicy

_log = structlog.get_logger(__name__)

# How long a relay that is told to stop still works on what it holds.
_PARTING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """How a lane works.

    Attributes:
        batch: rows per lease.
        lease_seconds: how long a lease lasts; sending may take half of it.
        poll_seconds: how often to look without being poked, for rows that another process
            wrote, that waited for their next try, or whose relay died.
        pace_seconds: least time from one look to the next after a poke, so that under load many
            rows share a lease; the first poke after a rest is answered at once.
        in_flight: leases worked on at once.
        away: waits of the lane while the other side, or the database, is away.
        row: what happens to a refused row.
    """

    batch: int = 200
    lease_seconds: float = 30.0
    poll_seconds: float = 1.0
    pace_seconds: float = 0.2
    in_flight: int = 1
    away: Backoff = field(default_factory=Backoff)
    row: RowPolicy = field(default_factory=RowPolicy)


class Lane:
    """Brings the rows of one lane to one sender."""

    def __init__(self, name: str, store: OutboxStore, sender: Sender, policy: LanePolicy) -> None:
        self.name = name
        self._store = store
        self._sender = sender
        self._policy = policy
        self._poked = asyncio.Event()
        labels = (store.schema, name)
        self._sent = metrics.SENT.labels(*labels)
        self._refused = metrics.FAILURES.labels(*labels, "refused")
        self._away = metrics.FAILURES.labels(*labels, "away")

    def wake(self) -> None:
        """Something was committed: look now."""
        self._poked.set()

    async def run(self) -> None:
        """Until cancelled; what is being sent then is given back for the next relay."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._policy.in_flight):
                group.create_task(self._pump())

    async def drain_once(self) -> int:
        """Lease once, send, settle. Returns how many rows were leased.

        Raises:
            Unavailable: the database is away, or the other side is for some of the rows.
        """
        rows = await self._store.lease(self.name, self._policy.batch, self._policy.lease_seconds)
        if rows:
            await self._send_and_settle(rows)
        return len(rows)

    async def _send_and_settle(self, rows: Sequence[OutboxRow]) -> None:
        try:
            results = await self._send(rows)
        except asyncio.CancelledError:
            # Nobody knows what arrived. Another relay shall not wait for the lease to run out.
            await _to_its_end(self._store.give_back(rows))
            raise
        await _to_its_end(self._settle(rows, results))

    async def _pump(self) -> None:
        failures = 0
        clock = asyncio.get_running_loop().time
        while True:
            looked_at = clock()
            # Cleared before looking: a poke from now on is seen by the wait below.
            self._poked.clear()
            try:
                leased = await self.drain_once()
            except Exception as error:  # noqa: BLE001 — a relay outlives every error
                failures += 1
                self._report(error, failures)
                await asyncio.sleep(self._policy.away.seconds(failures))
                continue
            failures = 0
            if leased < self._policy.batch:
                await self._wait()
                await asyncio.sleep(looked_at + self._policy.pace_seconds - clock())

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._policy.poll_seconds):
                await self._poked.wait()

    async def _send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
        try:
            return await self._send_in_time(rows)
        except Unavailable as error:
            return [error] * len(rows)
        except Exception:  # noqa: BLE001 — it ends in each row's result
            # The sender itself failed, over one row perhaps. The others shall not wait for it.
            _log.exception("outbox_sender_failed", schema=self._store.schema, lane=self.name)
            return await send_isolating(rows, self._send_or_raise)

    async def _send_or_raise(self, rows: Sequence[OutboxRow]) -> None:
        for error in await self._send_in_time(rows):
            if error is not None:
                raise error

    async def _send_in_time(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
        try:
            async with asyncio.timeout(self._policy.lease_seconds / 2):
                return await self._sender.send(rows)
        except TimeoutError as error:
            raise Unavailable("The receiver takes too long") from error

    async def _settle(self, rows: Sequence[OutboxRow], results: Sequence[Exception | None]) -> None:
        sent: list[OutboxRow] = []
        unheard: list[OutboxRow] = []
        refused: list[tuple[OutboxRow, Exception]] = []
        away: Unavailable | None = None
        for row, error in zip(rows, results, strict=True):
            if error is None:
                sent.append(row)
            elif isinstance(error, Unavailable):
                unheard.append(row)
                away = error
            else:
                refused.append((row, error))
        if sent:
            await self._store.delete(sent)
            self._sent.inc(len(sent))
        if refused:
            await self._charge(refused)
        if away is not None:
            self._away.inc(len(unheard))
            await self._store.give_back(unheard)
            raise away

    async def _charge(self, refused: Sequence[tuple[OutboxRow, Exception]]) -> None:
        self._refused.inc(len(refused))
        quarantined = await self._store.charge(refused, self._policy.row)
        for row, error in refused:
            _log.warning(
                "outbox_row_quarantined" if row.id in quarantined else "outbox_row_refused",
                schema=self._store.schema,
                lane=self.name,
                org_id=str(row.org_id),
                row_id=str(row.id),
                attempts=row.attempts + 1,
                error=str(error),
            )

    def _report(self, error: Exception, failures: int) -> None:
        fields = {"schema": self._store.schema, "lane": self.name, "failures": failures}
        if not isinstance(error, Unavailable):
            _log.error("outbox_lane_failed", **fields, exc_info=error)
        elif failures == 1:
            _log.warning("outbox_lane_waits", **fields, error=str(error))


async def _to_its_end(work: Coroutine[None, None, None]) -> None:
    """Await `work`; when we are cancelled it still has a moment to finish."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        _, unfinished = await asyncio.wait({task}, timeout=_PARTING_SECONDS)
        for each in unfinished:
            each.cancel()
        if not unfinished and not task.cancelled() and (error := task.exception()) is not None:
            _log.info("outbox_parting_failed", error=str(error))
        raise
