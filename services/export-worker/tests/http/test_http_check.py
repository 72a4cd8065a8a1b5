"""The connection test of an HTTP endpoint: what it does, and what it says is wrong."""

import pytest

from countersign_export_worker.testing.erp_server import answering, swallow


async def test_it_asks_with_a_signed_options_and_posts_nothing(erp):
    report = await erp.connector.test_connection()
    assert report.ok
    assert [step.name for step in report.steps] == ["resolve", "answer"]
    assert report.capabilities == {"tls": "false"}
    assert abs(report.clock_difference_ms) <= 2000
    (asked,) = erp.server.requests
    assert (asked.method, asked.body) == ("OPTIONS", b"")
    assert asked.headers["idempotency-key"] == "test"
    assert asked.headers["x-countersign-signature"].startswith("t=")


async def test_it_says_that_the_connection_is_encrypted(tls_erp):
    assert (await tls_erp.connector.test_connection()).capabilities == {"tls": "true"}


@pytest.mark.parametrize("status", [200, 204, 400, 405, 422, 429, 501])
async def test_an_endpoint_may_refuse_options_as_such(erp, status):
    """It answered, and a POST may be all it knows."""
    erp.server.probe = answering(status)
    assert (await erp.connector.test_connection()).ok


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (401, "AUTHENTICATION_FAILED"),
        (403, "AUTHENTICATION_FAILED"),
        (404, "PATH_MISSING"),
        (410, "PATH_MISSING"),
        (301, "REDIRECTED"),
        (302, "REDIRECTED"),
        (500, "ERP_BUSY"),
        (503, "ERP_BUSY"),
    ],
)
async def test_an_answer_that_promises_no_delivery_fails_the_test(erp, status, failure):
    erp.server.probe = answering(status)
    report = await erp.connector.test_connection()
    assert (report.ok, report.failure) == (False, failure)
    assert str(status) in report.message
    assert [(step.name, step.ok) for step in report.steps] == [("resolve", True), ("answer", False)]


async def test_no_answer_is_a_timeout(erp):
    erp.server.probe = swallow
    assert (await erp.open(timeout_seconds=1).test_connection()).failure == "TIMEOUT"


async def test_an_untrusted_certificate_is_named(tls_erp):
    report = await tls_erp.open(tls_ca=None).test_connection()
    assert (report.ok, report.failure) == (False, "TLS_FAILED")
    assert tls_erp.server.requests == []


async def test_a_name_that_nobody_knows_fails_at_the_first_step(erp):
    connector = erp.open(url="https://no-such-host.invalid/", timeout_seconds=20)
    report = await connector.test_connection()
    assert report.failure in {"UNREACHABLE", "TIMEOUT"}
    assert [(step.name, step.ok) for step in report.steps] == [("resolve", False)]
