"""Roles: what the contract's comments say is what the service enforces."""

import re
from pathlib import Path

import pytest

from countersign.push.v1 import connection_service_pb2, push_service_pb2, work_service_pb2
from countersign_core.roles import READERS, WORKERS, Role
from countersign_push.access import ACCESS

PROTOS = Path(__file__).parents[3] / "protos"
SERVICES = [
    module.DESCRIPTOR.services_by_name[name]
    for module, name in (
        (push_service_pb2, "PushService"),
        (connection_service_pb2, "ConnectionService"),
        (work_service_pb2, "WorkService"),
    )
]
METHODS = [
    f"/{service.full_name}/{method.name}" for service in SERVICES for method in service.methods
]


def comment_above(rpc, text):
    """The comment lines that stand right above an rpc."""
    lines = text[: text.index(f"  rpc {rpc}(")].rstrip("\n").split("\n")
    comment = []
    while lines and lines[-1].lstrip().startswith("//"):
        comment.insert(0, lines.pop().strip().removeprefix("// "))
    return " ".join(comment)


def documented_roles(method):
    service, rpc = method[1:].split("/")
    if service.endswith("WorkService"):
        return WORKERS
    files = {"PushService": "push_service", "ConnectionService": "connection_service"}
    path = PROTOS / "countersign/push/v1" / f"{files[service.rpartition('.')[2]]}.proto"
    comment = comment_above(rpc, path.read_text())
    if "Roles and errors per draft as PushDraft" in comment:
        return documented_roles("/countersign.push.v1.PushService/PushDraft")
    roles = re.search(r"Roles: ([A-Za-z, ]+)\.", comment)[1]
    if roles == "any":
        return READERS
    return frozenset(Role(name) for name in roles.split(", "))


@pytest.mark.parametrize("method", METHODS)
def test_the_roles_are_those_of_the_contract(method):
    assert ACCESS[method] == documented_roles(method)


def test_nothing_is_allowed_that_does_not_exist():
    assert set(ACCESS) == set(METHODS)
