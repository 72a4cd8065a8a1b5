"""The protocol, walked exhaustively; and proof that the walk finds what it must find."""

from contextlib import suppress
from pathlib import Path

import pytest

from countersign_core.lifecycle import ExportStatus
from countersign_export_worker.assignment import Lease
from countersign_export_worker.delivery import Delivery, Outcome, OutcomeKind
from countersign_export_worker.errors import DeliveryError, TokenGone
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import AttemptError
from countersign_export_worker.testing.delivery_model import DeliveryModel, Violation
from countersign_export_worker.testing.samples import connection_to, export_record
from countersign_export_worker.testing.work_twin import ExportRecord, WorkTwin

RECORD = export_record(connection_to(Path("/dropzone")))
BOTH_ENDS = {ExportStatus.SENT, ExportStatus.FAILED}


@pytest.mark.parametrize(
    ("claims", "faults", "at_least"), [(1, 2, 200), (2, 1, 3_000), (2, 2, 15_000), (3, 0, 10_000)]
)
def test_no_interleaving_delivers_twice_or_reports_wrongly(
    claims: int, faults: int, at_least: int
) -> None:
    """In no state that workers, faults and the ERP can reach together is anything untrue."""
    summary = DeliveryModel(RECORD, claims=claims, faults=faults).walk()
    assert summary.states >= at_least
    assert summary.ends == BOTH_ENDS if faults else {ExportStatus.SENT}


@pytest.mark.chaos
def test_no_interleaving_of_three_workers_with_a_fault_goes_wrong() -> None:
    """The same with three workers and a fault: some 180,000 states."""
    summary = DeliveryModel(RECORD, claims=3, faults=1).walk()
    assert summary.states >= 150_000
    assert summary.ends == BOTH_ENDS


class WithoutFence(WorkTwin):
    """Takes every report of a pending export for the current one."""

    def _held(self, lease: Lease) -> ExportRecord:
        return super()._held(Lease(lease.org_id, lease.export_id, self._fence(lease)))

    def _fence(self, lease: Lease) -> int:
        return self.exports[lease.export_id].fence


class WithoutStagedReport(Delivery):
    """Publishes what no record knows of."""

    async def _record_token(self, token: DropName) -> None:
        pass


class FailsWithoutTakingBack(Delivery):
    """Calls a staged export failed and leaves the token where it is."""

    async def _take_back(self, token: DropName, cause: DeliveryError) -> Outcome:
        error = AttemptError(cause.code, cause.message)
        await self._reports.report_failed(self._lease, error, withdrawn=True)
        return Outcome(OutcomeKind.FAILED, cause.code)


class DeletesToWithdraw(Delivery):
    """Takes the token back by deleting it."""

    async def _take_back(self, token: DropName, cause: DeliveryError) -> Outcome:
        try:
            await self._connector.discard(token)
        except DeliveryError as obstacle:
            return await self._hold(obstacle)
        error = AttemptError(cause.code, cause.message)
        await self._reports.report_failed(self._lease, error, withdrawn=True)
        return Outcome(OutcomeKind.FAILED, cause.code)


class DiscardsBeforeTheReport(Delivery):
    """Deletes the withdrawn file before FAILED is on record."""

    async def _fail_withdrawn(self, token: DropName, error: AttemptError) -> Outcome:
        with suppress(DeliveryError):
            await self._connector.discard(token.taken_back())
        return await super()._fail_withdrawn(token, error)


class TakesAbsenceForDelivery(Delivery):
    """Does not look for the withdrawn name."""

    async def _publish(self, token: DropName) -> Outcome:
        try:
            await self._connector.publish(token)
        except TokenGone:
            pass
        except DeliveryError as error:
            return await self._take_back(token, error)
        return await self._sent("RENAMED")  # type: ignore[arg-type]


class RemovesItsFileWhenTheLeaseIsLost(Delivery):
    """Takes LEASE_LOST for proof that its file is not the token."""

    async def _remove_if_nobody_needs(self, token: DropName) -> None:
        with suppress(DeliveryError):
            await self._connector.discard(token)


class StrictAboutRepeats(WorkTwin):
    """Answers LEASE_LOST to a repeated STAGED once another worker has claimed."""

    async def report_staged(self, lease: Lease, staged_name: str, document_sha256: str) -> None:
        export = self.exports[lease.export_id]
        if export.fence != lease.fence:
            self._held(lease)
        await super().report_staged(lease, staged_name, document_sha256)


@pytest.mark.parametrize(
    ("variant", "twin"),
    [
        (Delivery, WithoutFence),
        (WithoutStagedReport, WorkTwin),
        (FailsWithoutTakingBack, WorkTwin),
        (DeletesToWithdraw, WorkTwin),
        (DiscardsBeforeTheReport, WorkTwin),
        (TakesAbsenceForDelivery, WorkTwin),
        (RemovesItsFileWhenTheLeaseIsLost, StrictAboutRepeats),
    ],
)
def test_walk_finds_what_is_wrong_with_a_simpler_protocol(
    variant: type[Delivery], twin: type[WorkTwin]
) -> None:
    """Leave any part of the protocol out, and a wrong state is reached."""
    with pytest.raises(Violation):
        DeliveryModel(RECORD, claims=3, faults=2, variant=variant, twin=twin).walk()


@pytest.mark.parametrize(
    ("variant", "twin"),
    [(Delivery, StrictAboutRepeats), (RemovesItsFileWhenTheLeaseIsLost, WorkTwin)],
    ids=["the worker asks first", "push accepts a repeated STAGED"],
)
def test_either_lock_on_a_token_is_enough(variant: type[Delivery], twin: type[WorkTwin]) -> None:
    """A worker never deletes the token after a lost reply; see decision 0015."""
    DeliveryModel(RECORD, claims=2, faults=2, variant=variant, twin=twin).walk()


@pytest.mark.parametrize("can_tell", [False, True], ids=["blind", "can tell"])
@pytest.mark.parametrize(("claims", "faults"), [(1, 2), (2, 2), (3, 1)])
def test_no_interleaving_sends_twice_what_cannot_be_taken_back(
    claims: int, faults: int, can_tell: bool
) -> None:
    """One step that delivers: sent once at most, FAILED only if certainly not, else held."""
    model = DeliveryModel(RECORD, claims=claims, faults=faults, direct=True, can_tell=can_tell)
    assert model.walk().ends == {*BOTH_ENDS, ExportStatus.PENDING}


class SendsAgain(Delivery):
    """Takes what nobody knows for not delivered."""

    async def _find_out(self, token: DropName) -> Outcome:
        return await self._send(token)


class FailsWhatIsUncertain(Delivery):
    """Takes a failure for certain."""

    async def _hold(self, error: DeliveryError) -> Outcome:
        return await self._fail(error, withdrawn=True)


class SendsWithoutRecord(Delivery):
    """Puts nothing on record before the step."""

    async def _record_token(self, token: DropName) -> None:
        pass


@pytest.mark.parametrize("variant", [SendsAgain, FailsWhatIsUncertain, SendsWithoutRecord])
def test_walk_finds_what_is_wrong_with_a_careless_sender(variant: type[Delivery]) -> None:
    """Each of the three rules is needed."""
    with pytest.raises(Violation):
        DeliveryModel(RECORD, claims=2, faults=1, variant=variant, direct=True).walk()
