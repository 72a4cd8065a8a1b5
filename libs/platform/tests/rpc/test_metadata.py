"""Metadata is read in one pass, and what is unfit for a log line is replaced."""

import pytest

from countersign_platform.rpc.metadata import read_metadata


@pytest.mark.parametrize("good", ["x", "x" * 200, "req-1:!~", "6f1f8f0e"])
def test_a_request_id_of_visible_ascii_is_kept(good):
    assert read_metadata([("x-request-id", good)]).request_id == good


@pytest.mark.parametrize("bad", ["", " ", "a b", "x" * 201, "ü", "a\tb", "a\nb", "a\n", "\x7f"])
def test_any_other_request_id_is_replaced(bad):
    request_id = read_metadata([("x-request-id", bad)]).request_id
    assert len(request_id) == 32
    assert int(request_id, 16)


def test_no_metadata_at_all_gives_a_request_id_and_nothing_else():
    found = read_metadata(None)
    assert len(found.request_id) == 32
    assert (found.bearer_token(), found.ip, found.traceparent) == ("", "", None)


def test_every_idempotency_key_is_kept_in_order():
    """Several keys are an error, but that is for the command to say."""
    pairs = [("idempotency-key", "b"), ("x-request-id", "r"), ("idempotency-key", "a")]
    assert read_metadata(pairs).idempotency_keys == ("b", "a")


def test_binary_metadata_is_ignored():
    assert read_metadata([("authorization", b"Bearer x"), ("x-bin", b"\x00")]).authorization == ""


def test_long_values_fit_the_audit_trail():
    found = read_metadata(
        [("x-forwarded-for-client", "9" * 100), ("x-client-user-agent", "a" * 1000)]
    )
    assert (len(found.ip), len(found.user_agent)) == (64, 500)


@pytest.mark.parametrize("pairs", [0, 1])
def test_the_end_users_agent_wins_over_the_gateways(pairs):
    both = [("user-agent", "grpc-python"), ("x-client-user-agent", "Firefox")]
    assert read_metadata(both if pairs else both[::-1]).user_agent == "Firefox"


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer abc", "abc"), ("Basic abc", ""), ("abc", ""), ("", "")],
)
def test_only_a_bearer_token_is_one(header, token):
    assert read_metadata([("authorization", header)]).bearer_token() == token
