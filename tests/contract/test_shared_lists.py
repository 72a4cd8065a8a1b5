"""Lists that stand in the contracts and in the core are the same lists."""

import re
from pathlib import Path

import pytest

from countersign.approval.v1 import approval_service_pb2, draft_pb2
from countersign.audit.v1 import audit_service_pb2
from countersign.errors.v1 import errors_pb2
from countersign.push.v1 import export_pb2, push_service_pb2
from countersign_approval import draft_sort
from countersign_audit.offline import export_file
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.lifecycle import DraftStatus, ExportStatus
from countersign_core.reasons import WIRE_STATUS, Reason
from countersign_gateway import audit_formats
from countersign_gateway.bodies import filters

PROTOS = Path(__file__).parents[2] / "protos"
ERRORS_PROTO = (PROTOS / "countersign/errors/v1/errors.proto").read_text(encoding="utf-8")


def names(enum, prefix: str) -> list[str]:
    """Values of a proto enum without prefix and without UNSPECIFIED, in their order."""
    assert enum.values[0].name == f"{prefix}UNSPECIFIED"
    return [value.name.removeprefix(prefix) for value in enum.values[1:]]


def test_every_reason_is_in_the_contract_and_the_other_way_round():
    enum = errors_pb2.ErrorReason.DESCRIPTOR
    assert sorted(names(enum, "ERROR_REASON_")) == sorted(Reason)


@pytest.mark.parametrize(
    ("prefix", "enum", "core"),
    [
        ("DRAFT_STATUS_", draft_pb2.DraftStatus.DESCRIPTOR, DraftStatus),
        ("EXPORT_STATUS_", export_pb2.ExportStatus.DESCRIPTOR, ExportStatus),
    ],
    ids=["drafts", "exports"],
)
def test_the_states_are_the_same(prefix, enum, core):
    assert names(enum, prefix) == [state.value for state in core]


def test_a_replay_can_tell_every_state_of_an_export():
    """IN_PROGRESS stands for PENDING; the others keep their names."""
    outcomes = names(push_service_pb2.PushOutcome.DESCRIPTOR, "PUSH_OUTCOME_")
    assert outcomes == ["PUSHING", "IN_PROGRESS", "SENT", "ACKED", "FAILED"]
    assert set(ExportStatus) - set(outcomes) == {ExportStatus.PENDING}


@pytest.mark.parametrize("reason", list(Reason))
def test_the_contract_states_the_status_that_is_sent(reason):
    """The comment above each reason begins with its gRPC code and HTTP status."""
    pattern = rf"// ([A-Z_]+) \((\d+)[^)]*\)[^\n]*(?:\n\s*//[^\n]*)*\n\s*ERROR_REASON_{reason} ="
    found = re.search(pattern, ERRORS_PROTO)
    assert found is not None
    assert (found[1], int(found[2])) == (WIRE_STATUS[reason].grpc, WIRE_STATUS[reason].http)


@pytest.mark.parametrize("action", list(AuditAction))
def test_every_act_passes_the_rules_of_the_audit_service(action):
    (pattern,) = re.findall(
        r'string action = 5 \[\(buf\.validate\.field\)\.string\.pattern = "([^"]+)"\]',
        (PROTOS / "countersign/audit/v1/audit_service.proto").read_text(encoding="utf-8"),
    )
    assert re.fullmatch(pattern, action)


def test_the_contract_names_every_kind_of_entity():
    text = (PROTOS / "countersign/audit/v1/audit_service.proto").read_text(encoding="utf-8")
    (sentence,) = re.findall(r"// ([a-z_, ]+ or [a-z_]+)\.\n\s+string entity_type = 6", text)
    assert set(re.findall(r"[a-z_]+", sentence)) - {"or"} == set(EntityType)
    assert "entity_type" in audit_service_pb2.AuditEvent.DESCRIPTOR.fields_by_name


def test_the_offline_verifier_reads_the_very_fields_that_are_exported():
    """It takes no line that lacks a member or has another one, so one side cannot go alone."""
    assert len(set(audit_formats.FIELDS)) == len(audit_formats.FIELDS)
    assert set(audit_formats.FIELDS) == export_file._MEMBERS
    assert audit_formats.END == export_file.END


def test_the_orders_of_a_list_of_drafts_are_the_same():
    """Over REST, in the contract and in the service; and the service can sort by each."""
    orders = names(approval_service_pb2.DraftSort.DESCRIPTOR, "DRAFT_SORT_")
    assert [each.value for each in filters.DraftSort] == orders
    assert sorted(draft_sort.DraftSort) == sorted(orders)
    assert set(draft_sort.SORT_KEYS) == set(draft_sort.DraftSort)
