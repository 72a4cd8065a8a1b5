"""What every call of the contracts keeps to: bounded requests, known errors, stated roles."""

import re
from collections.abc import Iterator
from pathlib import Path

import protovalidate
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from buf.validate import validate_pb2
from countersign.approval.v1 import approval_service_pb2
from countersign.audit.v1 import audit_service_pb2, seal_service_pb2
from countersign.push.v1 import connection_service_pb2, push_service_pb2, work_service_pb2
from countersign_core.reasons import Reason

FILES = [
    approval_service_pb2.DESCRIPTOR,
    push_service_pb2.DESCRIPTOR,
    connection_service_pb2.DESCRIPTOR,
    work_service_pb2.DESCRIPTOR,
    audit_service_pb2.DESCRIPTOR,
    seal_service_pb2.DESCRIPTOR,
]
METHODS = [
    method
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
]
PROTOS = Path(__file__).parents[2] / "protos"
each_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.full_name)


def messages_in(root: Descriptor, seen: set[str] | None = None) -> Iterator[Descriptor]:
    """`root` and every message of ours that it holds."""
    seen = set() if seen is None else seen
    if root.full_name in seen or not root.full_name.startswith("countersign."):
        return
    seen.add(root.full_name)
    yield root
    for field in root.fields:
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            yield from messages_in(field.message_type, seen)


def rules_of(field: FieldDescriptor) -> validate_pb2.FieldRules:
    return field.GetOptions().Extensions[validate_pb2.field]


REQUEST_FIELDS = {
    field.full_name: field
    for method in METHODS
    for message in messages_in(method.input_type)
    for field in message.fields
}
each_field = pytest.mark.parametrize("field", REQUEST_FIELDS.values(), ids=list(REQUEST_FIELDS))


@each_method
def test_the_rules_of_every_request_compile(method: MethodDescriptor):
    """A rule that cannot be compiled would turn every call of it into INTERNAL."""
    request = message_factory.GetMessageClass(method.input_type)()
    protovalidate.collect_violations(request)


@each_method
def test_request_and_reply_are_named_after_the_call(method: MethodDescriptor):
    assert method.input_type.name == f"{method.name}Request"
    assert method.output_type.name == f"{method.name}Response"


# Reported by our own services, which must not lose a report to a rule about its length. What
# bounds these is the largest message that a server takes.
OWN_REPORTS = {
    "countersign.audit.v1.AuditEvent",
    "countersign.push.v1.ConnectionTestResult",
    "countersign.push.v1.ConnectionTestStep",
}


def is_own_report(field: FieldDescriptor) -> bool:
    return field.containing_type.full_name in OWN_REPORTS


@each_field
def test_every_text_of_a_request_is_bounded(field: FieldDescriptor):
    if field.type != FieldDescriptor.TYPE_STRING or is_own_report(field):
        return
    rules = rules_of(field)
    text = rules.repeated.items.string if field.is_repeated else rules.string
    bounded = text.HasField("max_len") or text.uuid or text.HasField("pattern")
    assert bounded or getattr(text, "in"), "no max_len, uuid, pattern or list of values"


@each_field
def test_every_list_of_a_request_is_bounded(field: FieldDescriptor):
    if field.is_repeated and not is_own_report(field):
        rules = rules_of(field)
        assert rules.repeated.HasField("max_items") or rules.map.HasField("max_pairs")


@each_field
def test_no_number_of_a_request_is_a_float_but_a_duration(field: FieldDescriptor):
    """Money and quantities are decimal strings."""
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        assert field.name.endswith(("_seconds", "_ms"))


def proto_sources() -> Iterator[tuple[str, str]]:
    for path in sorted(PROTOS.rglob("*_service.proto")):
        text = path.read_text(encoding="utf-8")
        for comment, name in re.findall(r"((?:[ ]*//[^\n]*\n)+)[ ]*rpc (\w+)\(", text):
            yield name, " ".join(line.strip(" /") for line in comment.splitlines())


COMMENTS = dict(proto_sources())


def test_every_call_has_a_comment():
    assert set(COMMENTS) == {method.name for method in METHODS}


@pytest.mark.parametrize("name", COMMENTS)
def test_the_errors_that_a_comment_names_exist(name):
    sentences = re.findall(r"Errors: ([^.]*)\.", COMMENTS[name])
    known = set(Reason)
    for sentence in sentences:
        assert set(re.findall(r"\b[A-Z]{3,}(?:_[A-Z]+)*\b", sentence)) <= known


@pytest.mark.parametrize(
    "name", [m.name for m in METHODS if m.containing_service.name != "WorkService"]
)
def test_every_call_of_people_says_who_may_make_it(name):
    """Of WorkService the service's own comment says it: WORKER, for all calls."""
    assert re.search(r"\bRoles\b|otherwise as", COMMENTS[name], re.IGNORECASE)
