"""A log line is one JSON object that says which call it belongs to, and tells no secrets."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
import structlog

from countersign_platform.auth.identity import Identity
from countersign_platform.rpc.call import Call, enter_call, leave_call
from countersign_platform.settings import ProcessSettings
from countersign_platform.telemetry.logging import configure_logging

ORG = UUID("6f1f8f0e-63f4-4c92-8a52-4d9f8a6f9f11")
CALL = Call(
    method="/x/Y",
    identity=Identity("anna", frozenset(), ORG, "acme"),
    request_id="req-7",
    trace_id="0af7651916cd43dd8448eb211c80319c",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)


@contextmanager
def in_call() -> Iterator[None]:
    token = enter_call(CALL)
    try:
        yield
    finally:
        leave_call(token)


@pytest.fixture
def lines(capsys):
    """Configures JSON logs at INFO; answers the lines written so far."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure_logging(ProcessSettings(), "test")

    def written() -> list[dict]:
        out, err = capsys.readouterr()
        assert out == ""
        return [json.loads(line) for line in err.splitlines()]

    yield written
    structlog.reset_defaults()
    root.handlers[:], level = before
    root.setLevel(level)


def test_an_event_has_name_level_time_service_and_fields(lines):
    structlog.get_logger().info("draft_approved", version=3)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "draft_approved", "level": "info", "service": "test", "version": 3}


def test_a_line_inside_a_call_says_which(lines):
    with in_call():
        structlog.get_logger().info("draft_approved")
    (line,) = lines()
    assert line["request_id"] == "req-7"
    assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert line["org_id"] == str(ORG)


def test_what_is_bound_by_hand_shows_as_well(lines):
    with structlog.contextvars.bound_contextvars(request_id="from-a-row"):
        structlog.get_logger().info("row_sent")
    (line,) = lines()
    assert line["request_id"] == "from-a-row"


def test_lines_of_libraries_have_the_same_form(lines):
    with in_call():
        logging.getLogger("some.library").warning("it %s", "rains")
    (line,) = lines()
    assert line["event"] == "it rains"
    assert line["level"] == "warning"
    assert line["logger"] == "some.library"
    assert line["request_id"] == "req-7"


def test_lines_below_the_level_are_dropped(lines):
    structlog.get_logger().debug("detail")
    logging.getLogger("some.library").debug("detail")
    logging.getLogger("aiohttp.access").info("GET /")
    assert lines() == []


@pytest.mark.parametrize("library", [False, True])
def test_a_traceback_is_structured_and_shows_no_local_variables(lines, library):
    def fail() -> None:
        password = "hunter2"  # the local variable that must not show
        raise ZeroDivisionError(str(len(password)))

    log = logging.getLogger("x") if library else structlog.get_logger()
    try:
        fail()
    except ZeroDivisionError as error:
        log.error("it_failed", exc_info=error)  # noqa: TRY400 — the form our code uses
    (line,) = lines()
    (exception,) = line["exception"]
    assert exception["exc_type"] == "ZeroDivisionError"
    assert exception["frames"][-1]["name"] == "fail"
    assert "hunter2" not in json.dumps(line)


def test_what_json_does_not_know_is_written_as_text(lines):
    structlog.get_logger().info("draft_approved", draft_order_id=ORG)
    assert lines()[0]["draft_order_id"] == str(ORG)


def test_the_console_form_is_for_people(capsys):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure_logging(ProcessSettings(log_format="console", log_level="ERROR"), "test")
    try:
        structlog.get_logger().error("draft_approved", version=3)
        structlog.get_logger().info("not_shown")
    finally:
        structlog.reset_defaults()
        root.handlers[:], level = before
        root.setLevel(level)
    err = capsys.readouterr().err
    assert "draft_approved" in err
    assert "not_shown" not in err
