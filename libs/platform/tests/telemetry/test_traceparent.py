"""A malformed trace header is replaced, never passed on."""

import pytest

from countersign_platform.telemetry.traceparent import (
    accept_traceparent,
    new_traceparent,
    trace_id_of,
)

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
GOOD = f"00-{TRACE_ID}-b7ad6b7169203331-01"


def test_a_good_header_is_kept():
    assert accept_traceparent(GOOD) == GOOD
    assert trace_id_of(GOOD) == TRACE_ID


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        "00",
        GOOD.upper(),
        GOOD + "\n",
        GOOD + "-extra",
        GOOD.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID[:-1]}-b7ad6b7169203331-01",
    ],
)
def test_a_bad_header_is_replaced(bad):
    made = accept_traceparent(bad)
    assert made != bad
    assert accept_traceparent(made) == made


def test_every_new_trace_is_another_one():
    assert len({new_traceparent() for _ in range(100)}) == 100
