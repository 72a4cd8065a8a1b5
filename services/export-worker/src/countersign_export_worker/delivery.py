"""The exactly-once file drop: one export, at most one file that the ERP can see, ever.

The staged file is a token that exactly one rename can take: to its final name (published) or
to its withdrawn name (taken back). Whoever takes it decides the outcome; everybody else finds
it gone and reports what the winner did. Push keeps the record; each report is a
compare-and-set on the fence, so only the latest claim can change it.

    step                                       a crash right after it leaves
 1. discard temporary files of earlier fences  nothing that counts
 2. check the document                         nothing
 3. write all of it under a temporary name     a file without a record: removed by whoever
    that carries the fence; fsync              claims next, or by the sweeper
 4. report STAGED with that name               the token on record: whoever claims next goes on at 5
 5. rename the token to the final name; fsync  a delivered file. Next: the token is gone and no
                                               withdrawn file is there, so SENT is reported
 6. report SENT                                nothing to do

To fail an export before step 4, report FAILED. After it, the token must come back first:

 a. rename the token to its withdrawn name     a withdrawn file. Next: token gone, withdrawn file
                                               there, so FAILED is reported (b)
 b. report FAILED, withdrawn                   a withdrawn file that the sweeper removes
 c. discard the withdrawn file                 nothing

Why not simpler: without the fence a slow worker overwrites the record of a fast one. Without
step 4 nobody can tell a lost file from a delivered one. FAILED without (a) marks as failed
what the ERP may have. Deleting the token in place of (a), or the withdrawn file before (b),
looks like a delivery to the next worker.

Lost replies: a report that got no answer may be on record, so LEASE_LOST on a repeated STAGED
does not prove that our file is not the token. It is therefore removed only after push said
that nobody needs it, and push says so only when that can no longer change.

An operator's cancel is a failure like another: before step 4 push ends the export itself, and
the worker finds its lease lost; after it, (a) to (c), unless the file was delivered before.

A connector that is direct has no token to rename: its one step delivers, and cannot be taken
back. Its STAGED says "from here on it may have been sent". A failure that is certain ends that
(withdrawn, so the next attempt begins anew); whoever claims while it stands asks the connector
whether the ERP has the document, and holds the export unless that is certain.

If the token can neither be published nor taken back, the export is HELD: neither SENT nor
FAILED, tried again for as long as it takes.

tests/test_delivery_model.py walks every interleaving of these steps.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from countersign_export_worker.assignment import Assignment
from countersign_export_worker.errors import (
    DeliveryError,
    LeaseLost,
    NameTaken,
    OutcomeUncertain,
    PermanentDeliveryError,
    TokenGone,
    TransientDeliveryError,
    WorkError,
)
from countersign_export_worker.file_names import DropName, parse_drop_name, temporary_name
from countersign_export_worker.ports import (
    AttemptError,
    DeliveryPort,
    Evidence,
    ReportPort,
    Whereabouts,
)
from countersign_platform.off_loop import off_loop

_CANCELLED = PermanentDeliveryError("CANCELLED", "An operator took the export back.")
_TAKEN_BACK = AttemptError(
    "WITHDRAWN", "An earlier attempt took the file back before the ERP could pick it up."
)
_NOBODY_KNOWS = OutcomeUncertain(
    "An earlier attempt may have delivered the document; look at the ERP, then settle the export."
)
# In a name on record: a direct connector writes nothing that could be found somewhere.
_NOWHERE = "direct"


class OutcomeKind(StrEnum):
    """How a delivery ended; all but LEASE_LOST are on record."""

    SENT = "SENT"
    FAILED = "FAILED"
    DEFERRED = "DEFERRED"
    HELD = "HELD"
    LEASE_LOST = "LEASE_LOST"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a delivery ended. `code`: the error's, or how a SENT is known."""

    kind: OutcomeKind
    code: str = ""


class Delivery:
    """One attempt at one export, under one lease."""

    def __init__(
        self,
        assignment: Assignment,
        *,
        connector: DeliveryPort,
        reports: ReportPort,
        check_document: Callable[[Assignment], None],
    ) -> None:
        """`check_document` raises PermanentDeliveryError; it sees the assignment alone."""
        self._assignment = assignment
        self._lease = assignment.lease
        self._connector = connector
        self._reports = reports
        self._check_document = check_document

    async def run(self) -> Outcome:
        """Go as far as can be gone, and put the end on record.

        Raises:
            WorkError: but for LeaseLost; the end is then not on record and the lease runs out.
        """
        try:
            if self._assignment.staged_name:
                return await self._go_on_with(self._assignment.staged_name)
            return await self._stage_and_publish()
        except LeaseLost:
            return Outcome(OutcomeKind.LEASE_LOST)

    async def _go_on_with(self, staged_name: str) -> Outcome:
        token = parse_drop_name(staged_name)
        if token is None:
            return await self._hold(
                PermanentDeliveryError("INTERNAL", "The staged name on record is not one of ours.")
            )
        if self._connector.is_direct:
            return await self._find_out(token)
        if self._assignment.cancel_requested:
            return await self._take_back(token, _CANCELLED)
        return await self._publish(token)

    async def _stage_and_publish(self) -> Outcome:
        if self._assignment.cancel_requested:
            return await self._fail(_CANCELLED)
        try:
            token = await self._stage()
        except TransientDeliveryError as error:
            if self._assignment.last_attempt:
                return await self._fail(error)
            return await self._defer(error)
        except DeliveryError as error:
            return await self._fail(error)
        await self._record_token(token)
        if self._connector.is_direct:
            return await self._send(token)
        return await self._publish(token)

    async def _stage(self) -> DropName:
        size = len(self._assignment.document)
        await off_loop(size, self._check_document, self._assignment)
        name = self._temporary_name()
        if self._connector.is_direct:
            return name.at(_NOWHERE)
        await self._discard_earlier_fences()
        return await self._connector.stage(name, self._assignment.document)

    def _temporary_name(self) -> DropName:
        try:
            return temporary_name(
                self._assignment.file_name, self._lease.export_id, self._lease.fence
            )
        except ValueError as error:
            raise PermanentDeliveryError("BAD_FILE_NAME", str(error)) from error

    async def _discard_earlier_fences(self) -> None:
        # None of them is the token: none was on record when this fence was given out, and
        # from then on none can be put there.
        if self._lease.fence == 1:
            return
        for name in await self._connector.list_leftovers():
            if name.export_id == self._lease.export_id and name.fence < self._lease.fence:
                await self._connector.discard(name)

    async def _record_token(self, token: DropName) -> None:
        try:
            await self._reports.report_staged(
                self._lease, str(token), self._assignment.document_sha256
            )
        except LeaseLost:
            await self._remove_if_nobody_needs(token)
            raise

    async def _remove_if_nobody_needs(self, token: DropName) -> None:
        # What cannot be asked or removed now is the sweeper's.
        with suppress(WorkError, DeliveryError):
            for name in await self._reports.removable(self._lease.org_id, [token]):
                await self._connector.discard(name)

    async def _publish(self, token: DropName) -> Outcome:
        try:
            await self._connector.publish(token)
        except TokenGone:
            return await self._report_what_became_of(token)
        except NameTaken as error:
            return await self._hold(error)
        except TransientDeliveryError as error:
            if not self._assignment.last_attempt:
                return await self._defer(error)
            return await self._take_back(token, error)
        except DeliveryError as error:
            return await self._take_back(token, error)
        return await self._sent(Evidence.RENAMED)

    async def _send(self, token: DropName) -> Outcome:
        try:
            await self._connector.send(token, self._assignment.document)
        except OutcomeUncertain as error:
            return await self._hold(error)
        except TransientDeliveryError as error:
            if not self._assignment.last_attempt:
                return await self._defer(error, withdrawn=True)
            return await self._fail(error, withdrawn=True)
        except DeliveryError as error:
            return await self._fail(error, withdrawn=True)
        return await self._sent(Evidence.ACCEPTED)

    async def _find_out(self, token: DropName) -> Outcome:
        try:
            arrived = await self._connector.has_arrived(token, self._assignment.document)
        except DeliveryError as error:
            return await self._hold(error)
        if arrived:
            return await self._sent(Evidence.FOUND)
        return await self._hold(_NOBODY_KNOWS)

    async def _report_what_became_of(self, token: DropName) -> Outcome:
        try:
            whereabouts = await self._connector.trace(token)
        except DeliveryError as error:
            return await self._defer_or_hold(error)
        if whereabouts is Whereabouts.WITHDRAWN:
            return await self._fail_withdrawn(token, _TAKEN_BACK)
        if whereabouts is Whereabouts.STAGED:
            return await self._defer_or_hold(
                TransientDeliveryError("FOLDER_CHANGED", "The staged file was gone and came back.")
            )
        found = whereabouts is Whereabouts.PUBLISHED
        return await self._sent(Evidence.FOUND if found else Evidence.INFERRED)

    async def _take_back(self, token: DropName, cause: DeliveryError) -> Outcome:
        try:
            await self._connector.withdraw(token)
        except TokenGone:
            return await self._report_what_became_of(token)
        except DeliveryError as obstacle:
            return await self._hold(obstacle)
        return await self._fail_withdrawn(token, _attempt_error(cause))

    async def _fail_withdrawn(self, token: DropName, error: AttemptError) -> Outcome:
        await self._reports.report_failed(self._lease, error, withdrawn=True)
        with suppress(DeliveryError):  # FAILED is on record: the sweeper removes it
            await self._connector.discard(token.taken_back())
        return Outcome(OutcomeKind.FAILED, error.code)

    async def _defer_or_hold(self, error: DeliveryError) -> Outcome:
        if isinstance(error, TransientDeliveryError) and not self._assignment.last_attempt:
            return await self._defer(error)
        return await self._hold(error)

    async def _sent(self, evidence: Evidence) -> Outcome:
        await self._reports.report_sent(self._lease, evidence)
        return Outcome(OutcomeKind.SENT, evidence)

    async def _fail(self, error: DeliveryError, *, withdrawn: bool = False) -> Outcome:
        await self._reports.report_failed(self._lease, _attempt_error(error), withdrawn=withdrawn)
        return Outcome(OutcomeKind.FAILED, error.code)

    async def _defer(self, error: DeliveryError, *, withdrawn: bool = False) -> Outcome:
        await self._reports.report_deferred(self._lease, _attempt_error(error), withdrawn=withdrawn)
        return Outcome(OutcomeKind.DEFERRED, error.code)

    async def _hold(self, error: DeliveryError) -> Outcome:
        await self._reports.report_held(self._lease, _attempt_error(error))
        return Outcome(OutcomeKind.HELD, error.code)


def _attempt_error(error: DeliveryError) -> AttemptError:
    wait = error.retry_after_seconds if isinstance(error, TransientDeliveryError) else 0.0
    return AttemptError(error.code, error.message, wait)
