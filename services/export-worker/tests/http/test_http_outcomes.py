"""What each end of a POST means: delivered, certainly not, or nobody knows."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from countersign_export_worker.connectors.http_answers import LONGEST_WAIT_SECONDS
from countersign_export_worker.errors import (
    DeliveryError,
    OutcomeUncertain,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from countersign_export_worker.testing.erp_server import HOST, answering, cut

DOCUMENT = b'{"order": 1}'
Send = Callable[[], Awaitable[None]]


async def failure(call: Awaitable[None]) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_an_accepted_status_is_a_delivery(erp, drop_name, status):
    erp.server.behave = answering(status)
    await erp.connector.send(drop_name, DOCUMENT)
    assert erp.received() == [DOCUMENT]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 415, 422, 451])
async def test_a_refused_request_is_a_permanent_failure_with_the_erps_words(erp, drop_name, status):
    erp.server.behave = answering(status, 'customer "4711"\n is\tlocked')
    error = await failure(erp.connector.send(drop_name, DOCUMENT))
    assert isinstance(error, PermanentDeliveryError)
    assert error.code == "REJECTED_BY_ERP"
    assert error.message == f'The ERP answered {status}: customer "4711" is locked.'


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {}, 0),
        (429, {"Retry_After": "7"}, 7),
        (503, {"Retry_After": "120"}, 120),
        (503, {"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        (503, {"Retry_After": "999999999"}, LONGEST_WAIT_SECONDS),
        (503, {"Retry_After": "soon"}, 0),
        (408, {}, 0),
        (425, {}, 0),
    ],
)
async def test_a_busy_server_is_asked_again_when_it_says(erp, drop_name, status, headers, seconds):
    erp.server.behave = answering(status, **headers)
    error = await failure(erp.connector.send(drop_name, DOCUMENT))
    assert isinstance(error, TransientDeliveryError)
    assert (error.code, error.retry_after_seconds) == ("ERP_BUSY", seconds)


@pytest.mark.parametrize("status", [203, 206, 300, 302, 303, 304, 409, 500, 502, 503, 504])
async def test_an_answer_that_rules_nothing_out_leaves_it_open(erp, drop_name, status):
    """A proxy's 502, 503 or 504 may stand for a server that took the order and then died."""
    erp.server.behave = answering(status, **({"Location": "/"} if status // 100 == 3 else {}))
    error = await failure(erp.connector.send(drop_name, DOCUMENT))
    assert isinstance(error, OutcomeUncertain)
    assert str(status) in error.message


@pytest.mark.parametrize("status", [301, 307, 308])
async def test_a_redirect_is_refused_and_not_followed(erp, drop_name, status):
    erp.server.behave = answering(status, Location=erp.server.url.replace("orders", "elsewhere"))
    error = await failure(erp.connector.send(drop_name, DOCUMENT))
    assert isinstance(error, PermanentDeliveryError)
    assert error.code == "REDIRECTED"
    assert [each.path for each in erp.server.requests] == ["/orders"]


async def test_a_connection_that_is_cut_in_place_of_an_answer_leaves_it_open(erp, drop_name):
    erp.server.behave = cut
    error = await failure(erp.connector.send(drop_name, DOCUMENT))
    assert isinstance(error, OutcomeUncertain)
    assert erp.received() == [DOCUMENT]


async def test_an_accepted_status_counts_though_the_answers_body_never_ends(erp, drop_name):
    async def hang_in_the_body(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201)
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    erp.server.behave = hang_in_the_body
    await erp.connector.send(drop_name, DOCUMENT)


async def test_of_an_endless_answer_only_the_beginning_is_read(erp, drop_name):
    written = 0

    async def pour(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse(status=400)
        await response.prepare(request)
        while True:
            await response.write(b"no " * 20_000)
            written += 60_000

    erp.server.behave = pour
    error = await failure(erp.connector.send(drop_name, DOCUMENT))
    assert error.code == "REJECTED_BY_ERP"
    assert len(error.message) < 300
    # What the sockets' buffers hold, and no more: of a stream without an end.
    assert written < 64 * 2**20


async def test_secrets_that_the_erp_repeats_are_not_kept(erp, drop_name):
    connector = erp.open(secrets={"hmac_secret": "s" * 20, "bearer_token": "t" * 20})
    erp.server.behave = answering(401, f"bad token {'t' * 20} or {'s' * 20}")
    error = await failure(connector.send(drop_name, DOCUMENT))
    assert error.message == "The ERP answered 401: bad token … or …."


async def test_a_refused_connection_is_certain(erp, drop_name):
    async with erp.away():
        error = await failure(erp.connector.send(drop_name, DOCUMENT))
    assert isinstance(error, TransientDeliveryError)
    assert error.code == "UNREACHABLE"


async def test_a_name_that_nobody_knows_is_certain(erp, drop_name):
    erp.server.port = 1
    connector = erp.open(url="https://no-such-host.invalid/orders", timeout_seconds=20)
    error = await failure(connector.send(drop_name, DOCUMENT))
    assert isinstance(error, TransientDeliveryError)
    assert error.code in {"UNREACHABLE", "TIMEOUT"}


async def test_a_server_that_accepts_no_connection_in_time_is_certain(erp, drop_name):
    """Nothing was sent, so the export is put off and not held."""
    with socket.socket() as full:
        full.bind((HOST, 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex((HOST, port))
        connector = erp.open(url=f"http://{HOST}:{port}/", timeout_seconds=1)
        error = await failure(connector.send(drop_name, DOCUMENT))
        for each in waiting:
            each.close()
    assert isinstance(error, TransientDeliveryError)
    assert error.code == "TIMEOUT"


@asynccontextmanager
async def raw_server(talk: Callable[[Any, Any], Awaitable[None]]) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}/orders"


async def test_a_connection_that_is_cut_before_anything_was_read_leaves_it_open(erp, drop_name):
    """The bytes were under way: what became of them only the server knows."""

    async def close_at_once(_reader: Any, _writer: Any) -> None:
        return None

    async with raw_server(close_at_once) as url:
        error = await failure(erp.open(url=url).send(drop_name, DOCUMENT))
    assert isinstance(error, OutcomeUncertain)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 201 Cre",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 201 Created\r\n" + b"X-A: %s\r\n" % (b"a" * 20_000),
    ],
    ids=["half a status line", "another protocol", "a header without end"],
)
async def test_an_answer_that_makes_no_sense_leaves_it_open(erp, drop_name, said):
    async def say(reader: Any, writer: Any) -> None:
        await reader.readuntil(DOCUMENT)
        writer.write(said)
        await writer.drain()

    async with raw_server(say) as url:
        error = await failure(erp.open(url=url).send(drop_name, DOCUMENT))
    assert isinstance(error, OutcomeUncertain)


async def test_headers_without_end_are_given_up(erp, drop_name):
    """Long before the time is up, and before they fill the memory."""
    sent = 0

    async def pour(reader: Any, writer: Any) -> None:
        nonlocal sent
        await reader.readuntil(DOCUMENT)
        writer.write(b"HTTP/1.1 201 Created\r\n")
        while True:
            writer.write(b"X-%d: %s\r\n" % (sent, b"a" * 4000))
            sent += 4000
            await writer.drain()

    async with raw_server(pour) as url:
        error = await failure(erp.open(url=url, timeout_seconds=30).send(drop_name, DOCUMENT))
    assert isinstance(error, OutcomeUncertain)
    assert sent < 64 * 2**20


async def test_ten_megabytes_arrive_whole(erp, drop_name):
    document = b'{"notes": "' + b"x" * 10_000_000 + b'"}'
    await erp.open(timeout_seconds=30).send(drop_name, document)
    assert erp.received() == [document]


async def test_an_authority_that_is_not_trusted_ends_it_before_anything_is_sent(tls_erp, drop_name):
    connector = tls_erp.open(tls_ca=None)
    error = await failure(connector.send(drop_name, DOCUMENT))
    assert isinstance(error, PermanentDeliveryError)
    assert error.code == "TLS_FAILED"
    assert tls_erp.server.requests == []


async def test_a_certificate_of_another_name_ends_it_before_anything_is_sent(tls_erp, drop_name):
    url = tls_erp.server.url.replace(HOST, "localhost")
    error = await failure(tls_erp.open(url=url).send(drop_name, DOCUMENT))
    assert (type(error), error.code) == (PermanentDeliveryError, "TLS_FAILED")
    assert tls_erp.server.requests == []


async def test_a_server_without_tls_is_found_out_before_anything_is_sent(erp, drop_name):
    connector = erp.open(url=erp.server.url.replace("http:", "https:"))
    error = await failure(connector.send(drop_name, DOCUMENT))
    assert (type(error), error.code) == (TransientDeliveryError, "TLS_FAILED")
    assert erp.server.requests == []
