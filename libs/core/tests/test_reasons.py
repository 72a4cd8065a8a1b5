"""Every reason has one status on the wire, and the two faces of it agree."""

import pytest

from countersign_core.reasons import WIRE_STATUS, Reason

# google.rpc.Code → HTTP as its own comments have it, and the exceptions that REST asks for.
HTTP_OF = {
    "INVALID_ARGUMENT": {400, 422},
    "UNAUTHENTICATED": {401},
    "PERMISSION_DENIED": {403},
    "NOT_FOUND": {404},
    "FAILED_PRECONDITION": {409, 424},
    "ALREADY_EXISTS": {409},
    "ABORTED": {412},
    "RESOURCE_EXHAUSTED": {429},
    "UNAVAILABLE": {503},
    "DEADLINE_EXCEEDED": {504},
    "INTERNAL": {500},
    "DATA_LOSS": {500},
}


def test_every_reason_has_its_wire_status_and_nothing_else_has():
    assert set(WIRE_STATUS) == set(Reason)


def test_a_reason_is_spelled_like_its_name():
    assert all(reason.name == reason.value for reason in Reason)


@pytest.mark.parametrize("reason", list(Reason))
def test_the_http_status_belongs_to_the_grpc_status(reason):
    assert WIRE_STATUS[reason].http in HTTP_OF[WIRE_STATUS[reason].grpc]


@pytest.mark.parametrize("reason", list(Reason))
def test_a_title_is_a_short_line_for_people(reason):
    title = WIRE_STATUS[reason].title
    assert 4 < len(title) <= 60
    assert not title.endswith(".")
    assert reason.value not in title
