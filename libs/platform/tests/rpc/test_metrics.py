"""The figures of a call: how long it took, how it ended, how many are at work."""

import asyncio
from uuid import uuid4

import grpc
import pytest
from prometheus_client import REGISTRY

from countersign.push.v1 import push_service_pb2, push_service_pb2_grpc
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason

SERVICE = "countersign.push.v1.PushService"
READ = push_service_pb2.GetExportRequest(erp_export_id=str(uuid4()))


class Servicer(push_service_pb2_grpc.PushServiceServicer):
    """Waits, then raises `error` if there is one."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def GetExport(self, request, context):
        self.begun.set()
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return push_service_pb2.GetExportResponse()


def calls(code: str) -> float:
    labels = {"service": SERVICE, "method": "GetExport", "code": code}
    return REGISTRY.get_sample_value("countersign_rpc_seconds_count", labels) or 0.0


def at_work() -> float:
    labels = {"service": SERVICE, "method": "GetExport"}
    return REGISTRY.get_sample_value("countersign_rpcs_in_flight", labels) or 0.0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, "OK"),
        (CountersignError(Reason.EXPORT_NOT_FOUND, "no"), "NOT_FOUND"),
        (ZeroDivisionError(), "INTERNAL"),
    ],
)
async def test_a_call_is_counted_under_its_status(serve, error, code):
    servicer = Servicer()
    servicer.error = error
    servicer.go_on.set()
    stub = await (await serve(servicer)).push_stub()
    before = calls(code)
    try:
        await stub.GetExport(READ)
    except grpc.aio.AioRpcError:
        assert error is not None
    assert calls(code) == before + 1


async def test_a_call_at_work_is_on_the_gauge(serve):
    servicer = Servicer()
    stub = await (await serve(servicer)).push_stub()
    call = asyncio.ensure_future(stub.GetExport(READ))
    await servicer.begun.wait()
    assert at_work() == 1
    servicer.go_on.set()
    await call
    assert at_work() == 0


@pytest.mark.parametrize(("seconds", "code"), [(None, "CANCELLED"), (0.2, "DEADLINE_EXCEEDED")])
async def test_a_caller_that_leaves_is_told_from_one_whose_time_ran_out(serve, seconds, code):
    servicer = Servicer()
    running = await serve(servicer)
    stub = await running.push_stub()
    before = calls(code)
    call = stub.GetExport(READ, timeout=seconds or 30)
    waiting = asyncio.ensure_future(call.code())
    await servicer.begun.wait()
    if seconds is None:
        call.cancel()
    assert (await waiting).name == code
    await running.server.stop()
    assert calls(code) == before + 1
