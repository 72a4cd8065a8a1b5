"""Times in replies are written as protobuf writes them, digit by digit."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import example, given
from hypothesis import strategies as st

from countersign_gateway.replies.values import moment

# 0001-01-01 and the last second of 9999.
FIRST, LAST = -62_135_596_800, 253_402_300_799
SECONDS = st.integers(FIRST, LAST)
NANOS = st.builds(
    lambda digits, unit: digits % (1_000_000_000 // unit) * unit,
    st.integers(0, 999_999_999),
    st.sampled_from([1, 1_000, 1_000_000, 1_000_000_000]),
)


@given(SECONDS, NANOS)
@example(FIRST, 1_000)
@example(LAST, 999_999_000)
@example(0, 1_000)
@example(-1, 999_999_999)
def test_a_moment_is_written_as_protobuf_writes_it(seconds: int, nanos: int) -> None:
    value = Timestamp(seconds=seconds, nanos=nanos)
    assert moment(value) == (value.ToJsonString() if seconds or nanos else None)


@pytest.mark.parametrize(
    ("seconds", "nanos"), [(1, -1_000), (1, 1_000_001_000), (FIRST - 1, 1_000), (LAST + 1, 1_000)]
)
def test_what_is_no_moment_is_not_written(seconds: int, nanos: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        moment(Timestamp(seconds=seconds, nanos=nanos))
