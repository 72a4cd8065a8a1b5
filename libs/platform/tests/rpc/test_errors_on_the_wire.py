"""What a command raises is what the caller catches, over a real socket."""

from uuid import uuid4

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from grpc_status import rpc_status

from countersign.push.v1 import push_service_pb2, push_service_pb2_grpc
from countersign_core.errors import (
    CountersignError,
    FieldError,
    Forbidden,
    InvalidRequest,
    NotFound,
    Unavailable,
    VersionMismatch,
    WrongState,
)
from countersign_core.reasons import WIRE_STATUS, Reason
from countersign_platform.rpc.status import error_from_rpc, status_of


class Refusing(push_service_pb2_grpc.PushServiceServicer):
    """Raises what the test put into `error`."""

    def __init__(self) -> None:
        self.error: BaseException = ZeroDivisionError()

    async def GetExport(self, request, context):
        raise self.error


@pytest.fixture
async def refused(serve):
    """Calls a handler that raises the given error; what the transport then raises."""
    servicer = Refusing()
    stub = await (await serve(servicer)).push_stub()

    async def call(error: BaseException) -> grpc.aio.AioRpcError:
        servicer.error = error
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetExport(push_service_pb2.GetExportRequest(erp_export_id=str(uuid4())))
        return caught.value

    return call


def details_of(error: grpc.aio.AioRpcError) -> dict:
    found = {}
    for packed in rpc_status.from_call(error).details:
        for kind in (ErrorInfo, BadRequest, PreconditionFailure, RetryInfo):
            if packed.Is(kind.DESCRIPTOR):
                found[kind] = kind()
                packed.Unpack(found[kind])
    return found


@pytest.mark.parametrize("reason", list(Reason))
async def test_every_reason_arrives_with_its_status(refused, reason):
    error = await refused(CountersignError(reason, "A sentence — with ümläut", fact="1"))
    assert error.code().name == WIRE_STATUS[reason].grpc
    assert error.details() == "A sentence — with ümläut"
    info = details_of(error)[ErrorInfo]
    assert (info.domain, info.reason, dict(info.metadata)) == ("countersign", reason, {"fact": "1"})
    back = error_from_rpc(error)
    assert (back.reason, back.message, back.metadata) == (
        reason,
        "A sentence — with ümläut",
        {"fact": "1"},
    )


@pytest.mark.parametrize(
    "raised",
    [
        NotFound(Reason.DRAFT_NOT_FOUND, "Draft not found"),
        WrongState(
            Reason.WRONG_STATE,
            "Draft must be APPROVED to push (current: READY)",
            current="READY",
            allowed=["APPROVED"],
        ),
        VersionMismatch(expected=3, current=4),
        Forbidden(Reason.FOUR_EYES_REQUIRED, "A second person is needed", rule="x"),
        InvalidRequest([FieldError("content.lines[3].qty", "must be a number")]),
        Unavailable("The database is away", retry_after_seconds=2.5),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_keeps_its_class_and_facts(refused, raised):
    back = error_from_rpc(await refused(raised))
    assert type(back) is type(raised)
    assert (back.reason, back.message) == (raised.reason, raised.message)
    assert back.metadata == raised.metadata
    assert back.field_errors == raised.field_errors
    assert back.retry_after_seconds == raised.retry_after_seconds
    assert str(back) == raised.message


async def test_wrong_state_is_a_precondition_failure(refused):
    error = await refused(
        WrongState(Reason.WRONG_STATE, "Draft must be READY", current="NEW", allowed=["READY"])
    )
    (violation,) = details_of(error)[PreconditionFailure].violations
    assert violation.type == "WRONG_STATE"
    assert violation.subject == "NEW"
    assert violation.description == "Draft must be READY"


async def test_unavailable_says_when_to_come_back(refused):
    delay = details_of(await refused(Unavailable("away", retry_after_seconds=1.5)))[RetryInfo]
    assert delay.retry_delay.ToMilliseconds() == 1500


async def test_a_defect_tells_nothing_of_the_inside(refused):
    error = await refused(ZeroDivisionError("password=hunter2"))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details() == "Internal error"
    assert b"hunter2" not in rpc_status.from_call(error).SerializeToString()
    assert error_from_rpc(error).reason is Reason.INTERNAL


async def test_the_request_id_of_a_defect_is_told(refused):
    """It is the only thing that leads from the caller's error to our log."""
    assert len(error_from_rpc(await refused(ZeroDivisionError())).metadata["request_id"]) == 32


async def test_a_thousand_field_errors_do_not_lose_the_error(refused):
    """Details beyond the header limit would be dropped, and the reason with them."""
    errors = [FieldError(f"content.lines[{number}].qty", "x" * 150) for number in range(1000)]
    error = await refused(InvalidRequest(errors))
    info = details_of(error)[ErrorInfo]
    sent = details_of(error)[BadRequest].field_violations
    assert info.reason == "VALIDATION_FAILED"
    assert 10 <= len(sent) <= 50
    assert int(info.metadata["field_errors_omitted"]) == 1000 - len(sent)


async def test_one_huge_field_error_still_arrives(refused):
    error = await refused(InvalidRequest([FieldError("f" * 10_000, "d" * 10_000)]))
    (sent,) = details_of(error)[BadRequest].field_violations
    assert len(sent.field) == 400


async def test_huge_facts_are_cut_short(refused):
    facts = {f"fact_{number}": "v" * 5000 for number in range(30)}
    error = await refused(CountersignError(Reason.WRONG_STATE, "m" * 50_000, **facts))
    assert error_from_rpc(error).reason is Reason.WRONG_STATE
    assert len(error.details()) == 400


def bare(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    empty = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(code, empty, empty, details="ipv4:10.0.0.7 refused")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, Reason.UNAVAILABLE),
        (grpc.StatusCode.CANCELLED, Reason.UNAVAILABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Reason.DEADLINE_EXCEEDED),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Reason.RATE_LIMITED),
        (grpc.StatusCode.UNAUTHENTICATED, Reason.UNAUTHENTICATED),
        (grpc.StatusCode.PERMISSION_DENIED, Reason.ROLE_REQUIRED),
        (grpc.StatusCode.UNIMPLEMENTED, Reason.INTERNAL),
        (grpc.StatusCode.UNKNOWN, Reason.INTERNAL),
        (grpc.StatusCode.NOT_FOUND, Reason.INTERNAL),
    ],
)
def test_a_status_of_the_transport_has_the_nearest_reason_and_no_address(code, reason):
    error = error_from_rpc(bare(code))
    assert error.reason is reason
    assert "10.0.0.7" not in error.message


def test_an_unreachable_server_says_when_to_come_back():
    assert error_from_rpc(bare(grpc.StatusCode.UNAVAILABLE)).retry_after_seconds == 1.0


def with_details(code: grpc.StatusCode, status) -> grpc.aio.AioRpcError:
    trailers = grpc.aio.Metadata(*status.trailing_metadata)
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, details=status.details)


def test_details_that_contradict_the_status_are_not_believed():
    status = status_of(CountersignError(Reason.WRONG_STATE, "no"))
    error = error_from_rpc(with_details(grpc.StatusCode.UNAVAILABLE, status))
    assert error.reason is Reason.UNAVAILABLE


def test_garbage_in_the_details_is_not_believed():
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff\xff"))
    error = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), trailers)
    assert error_from_rpc(error).reason is Reason.INTERNAL


def test_the_reason_of_a_newer_server_is_taken_by_its_status():
    """Processes restart in any order: a reason that we do not know yet must not crash us."""
    status = status_of(CountersignError(Reason.UNAVAILABLE, "no"))
    trailer = dict(status.trailing_metadata)["grpc-status-details-bin"]
    newer = trailer.replace(b"UNAVAILABLE", b"BRANDNEWER1")
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", newer))
    error = grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), trailers, details="no"
    )
    assert error_from_rpc(error).reason is Reason.UNAVAILABLE
