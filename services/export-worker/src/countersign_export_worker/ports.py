"""What the worker needs from the world: a dropzone, and push.

Each port has an in-memory twin in this package (connectors.memory, testing.work_twin) and,
for connectors, a conformance suite that every adapter passes (connectors.conformance).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from countersign_export_worker.assignment import Assignment, ConnectionAccess, Lease
from countersign_export_worker.file_names import DropName


class Whereabouts(StrEnum):
    """Where the one file of a staged export stands."""

    # Under its temporary name: nobody took the token.
    STAGED = "STAGED"
    # Under its withdrawn name: the token was taken back.
    WITHDRAWN = "WITHDRAWN"
    # Under its final name.
    PUBLISHED = "PUBLISHED"
    # Nowhere: published, and the ERP has picked it up.
    GONE = "GONE"


class Evidence(StrEnum):
    """How it is known that a file was delivered; names as in DeliveryEvidence."""

    RENAMED = "RENAMED"
    FOUND = "FOUND"
    INFERRED = "INFERRED"
    ACCEPTED = "ACCEPTED"


@dataclass(frozen=True, slots=True)
class AttemptError:
    """Why an attempt failed: a code for machines, a sentence for the operator.

    `retry_after_seconds`: the next attempt must not come before; 0 when there is no such wish.
    """

    code: str
    message: str
    retry_after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One thing that a connection test did; `duration_ms` in milliseconds."""

    name: str
    ok: bool
    detail: str
    duration_ms: float


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a connection test found; `failure` and `message` are empty when `ok`."""

    ok: bool
    failure: str = ""
    message: str = ""
    steps: tuple[CheckStep, ...] = ()
    capabilities: dict[str, str] = field(default_factory=dict)
    clock_difference_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class AckFile:
    """An answer of the ERP, as found: which file of ours it is about and what it says.

    `name` is the answer's own name. `error` is set when the ERP refused the file. `export_id`
    is set where the answer names it. A malformed answer has no `file_name`; where it may still be
    being written, `state` (such as size and time) tells whether it changed between two looks.
    """

    name: str
    file_name: str
    accepted: bool = False
    erp_order_id: str = ""
    error: AttemptError | None = None
    export_id: UUID | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An answer that made no sense when somebody last looked, and for how long it was so."""

    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class AckPoll:
    """A connection to look at, with what was left unsettled there, by name."""

    connection: ConnectionAccess
    unsettled: Mapping[str, Unsettled] = field(default_factory=dict)


class ConnectorPort(Protocol):
    """What every connector does. Every method raises DeliveryError when it cannot be done."""

    @property
    def is_direct(self) -> bool:
        """Whether it is a DirectConnectorPort; else it is an ErpConnectorPort."""

    @property
    def patience_seconds(self) -> float:
        """How long one of its calls may take by its settings; 0: as long as others may."""

    async def test_connection(self) -> CheckReport:
        """Do what a delivery does, but for the delivery. Never raises DeliveryError."""

    async def poll_acks(self) -> Sequence[AckFile]:
        """Answers of the ERP that wait; empty when the connection has no place for them."""

    async def file_ack(self, ack: AckFile, *, understood: bool) -> None:
        """Move an answer to `processed/`, or to `error/` when nobody can make sense of it."""

    async def aclose(self) -> None:
        """Let go of connections and threads."""


class DirectConnectorPort(ConnectorPort, Protocol):
    """An ERP that takes a document in one step, which nobody can take back or prepare.

    The record says STAGED before the step. So a worker that dies in it leaves an export of which
    nobody knows whether the ERP has it; that is held until a person has looked.
    """

    async def send(self, name: DropName, document: bytes) -> None:
        """Hand the document over; returning means that the ERP has it.

        `name.final` is the document's file name, `name.export_id` the same for every try.

        Raises:
            TransientDeliveryError, PermanentDeliveryError: the ERP certainly does not have it.
            OutcomeUncertain: it may have it. The export is held and not sent again by itself.
        """

    async def has_arrived(self, name: DropName, document: bytes) -> bool:
        """Whether the ERP certainly has it, after a try whose end is not known.

        False when that cannot be told.
        """


class ErpConnectorPort(ConnectorPort, Protocol):
    """One connection's dropzone, where a file is written first and then renamed into view.

    Each change is durable when its method returns. A method that raises, or is cancelled,
    may still have been carried out, or be carried out later: callers must bear both.
    """

    async def stage(self, name: DropName, document: bytes) -> DropName:
        """Write the whole document under a new temporary name; returns it with its place.

        A name that exists is this lease's own failed try and is written anew. After an
        error nothing of it remains, as far as that can be done.
        """

    async def publish(self, staged: DropName) -> None:
        """Rename the token to its final name: atomic, and never over another file.

        Raises:
            TokenGone: it is not there, and the folder is the one it was written to.
            NameTaken: another file has the final name.
        """

    async def withdraw(self, staged: DropName) -> None:
        """Rename the token to its withdrawn name.

        Raises:
            TokenGone: as for publish.
        """

    async def trace(self, staged: DropName) -> Whereabouts:
        """Look for the token, then its withdrawn name, then the final one; durably so.

        Raises:
            TransientDeliveryError: FOLDER_CHANGED when nothing was found and the folder is not
                the one the token was written to.
        """

    async def discard(self, name: DropName) -> None:
        """Delete a temporary or withdrawn file; nothing happens when it is not there."""

    async def list_leftovers(self) -> Sequence[DropName]:
        """Every temporary and withdrawn file of ours."""


AnyConnector = ErpConnectorPort | DirectConnectorPort


class DeliveryPort(ErpConnectorPort, DirectConnectorPort, Protocol):
    """A connector of either kind, as a delivery sees it; `is_direct` says which half serves."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many exports a worker takes: of any connection (0: no limit), and where it differs."""

    of_others: int = 0
    by_connection: Mapping[UUID, int] = field(default_factory=dict)

    @property
    def has_full(self) -> bool:
        """Whether a connection has no room: what is due may be its own."""
        return 0 in self.by_connection.values()


ROOM_ENOUGH = Room()


@dataclass(frozen=True, slots=True)
class ConnectorType:
    """A connector that can serve connections.

    `open_connector` raises PermanentDeliveryError for settings that it cannot use.
    `config_schema` is the JSON Schema (2020-12) of the settings, `secret_names` what it can use.
    """

    open_connector: Callable[[ConnectionAccess], AnyConnector]
    config_schema: Mapping[str, Any] = field(default_factory=dict)
    secret_names: frozenset[str] = frozenset()
    title: str = ""
    connector_type: str = ""

    def __call__(self, access: ConnectionAccess) -> AnyConnector:
        """Open a connection."""
        return self.open_connector(access)


class ReportPort(Protocol):
    """What a delivery says to push. Every method is a compare-and-set on the lease's fence.

    Raises:
        LeaseLost, WorkUnavailable, WorkRefused: see errors.
    """

    async def report_staged(self, lease: Lease, staged_name: str, document_sha256: str) -> None:
        """Put the token on record."""

    async def report_sent(self, lease: Lease, evidence: Evidence) -> None:
        """The ERP has the file."""

    async def report_failed(self, lease: Lease, error: AttemptError, *, withdrawn: bool) -> None:
        """It will never have it."""

    async def report_deferred(
        self, lease: Lease, error: AttemptError, *, withdrawn: bool = False
    ) -> None:
        """Not now. `withdrawn`: what is on record as staged is not there, for certain."""

    async def report_held(self, lease: Lease, error: AttemptError) -> None:
        """Nobody knows whether it has it."""

    async def removable(self, org_id: UUID, names: Collection[DropName]) -> frozenset[DropName]:
        """Which of these files nobody needs any more; the answer stays right for ever."""


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """A connection test to run."""

    test_id: UUID
    connection: ConnectionAccess


class WorkPort(ReportPort, Protocol):
    """Everything a worker asks of push; raises as ReportPort does."""

    async def claim_export(self, org_id: UUID, export_id: UUID) -> Assignment | None:
        """The export that a message named; None when there is nothing to do."""

    async def claim_next(
        self, most: int, wait_seconds: float, room: Room = ROOM_ENOUGH
    ) -> Sequence[Assignment]:
        """Up to `most` due exports, of each connection what there is `room` for.

        Waits for the first.
        """

    async def renew_lease(self, lease: Lease) -> None:
        """Have the lease last its full length again, from now."""

    async def release_lease(self, lease: Lease) -> None:
        """Give an export back untried."""

    async def list_dropzones(self) -> Sequence[ConnectionAccess]:
        """Every connection that may hold files of ours."""

    async def claim_connection_test(self, wait_seconds: float) -> ConnectionTest | None:
        """A connection test that waits, or None."""

    async def report_connection_test(self, test: ConnectionTest, report: CheckReport) -> None:
        """What a connection test found."""

    async def claim_ack_polls(self, most: int) -> Sequence[AckPoll]:
        """Up to `most` connections whose answers are due to be looked for, ours for a while."""

    async def report_ack_poll(
        self, connection: ConnectionAccess, *, more: bool, unsettled: Mapping[str, str]
    ) -> None:
        """The look is over; `more` answers may wait there still.

        `unsettled`: the states of those that make no sense yet, by name.
        """

    async def report_health(
        self, connection: ConnectionAccess, breaker: str, error: AttemptError | None
    ) -> None:
        """Whether the connection's server answers: CLOSED, OPEN or HALF_OPEN."""

    async def announce_connectors(self, connectors: Sequence[ConnectorType]) -> None:
        """What this worker can serve."""

    async def report_ack(self, connection: ConnectionAccess, ack: AckFile) -> None:
        """What the ERP said of a file."""
