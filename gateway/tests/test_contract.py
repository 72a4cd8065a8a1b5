"""The REST face says what the contracts say: rules, reasons, routes, the committed document."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from pydantic import BaseModel

from buf.validate import validate_pb2
from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.approval.v1 import draft_pb2 as drafts
from countersign.audit.v1 import audit_service_pb2 as audit
from countersign.audit.v1 import seal_service_pb2 as seals
from countersign.push.v1 import connection_service_pb2 as connections
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_gateway.app import describe_app
from countersign_gateway.bodies import connections as connection_bodies
from countersign_gateway.bodies import drafts as draft_bodies
from countersign_gateway.bodies import filters, settlements
from countersign_gateway.bodies import pushes as push_bodies
from countersign_gateway.bodies.edits import EditBody

COMMITTED = Path(__file__).parents[1] / "openapi.json"

# DESIGN section 4, and the routes beside it.
ROUTES = {
    "POST /draft-orders",
    "GET /draft-orders",
    "GET /draft-orders/counts",
    "GET /draft-orders/{id}",
    "GET /draft-orders/{id}/contents/{content_version}",
    "PATCH /draft-orders/{id}",
    "PATCH /draft-orders/{id}/lines/{line_no}",
    "POST /draft-orders/{id}/validate",
    "POST /draft-orders/{id}/reject",
    "POST /draft-orders/{id}/approve",
    "DELETE /draft-orders/{id}/approval",
    "POST /draft-orders/{id}/push",
    "POST /draft-orders/{id}/retry-push",
    "POST /draft-orders/batch-approve",
    "POST /draft-orders/batch-push",
    "GET /draft-orders/{id}/export-preview",
    "GET /draft-orders/events",
    "GET /erp-connections",
    "POST /erp-connections",
    "GET /erp-connections/{id}",
    "PATCH /erp-connections/{id}",
    "POST /erp-connections/{id}/test",
    "POST /erp-connections/{id}/pause",
    "POST /erp-connections/{id}/resume",
    "POST /erp-connections/{id}/disable",
    "GET /erp-connectors",
    "GET /erp-exports",
    "GET /erp-exports/statistics",
    "GET /erp-exports/{id}",
    "GET /erp-exports/{id}/document",
    "POST /erp-exports/{id}/expedite",
    "POST /erp-exports/{id}/cancel",
    "POST /erp-exports/{id}/resolve",
    "GET /audit-log",
    "GET /audit-log/verify",
    "GET /audit-log/export",
    "GET /audit-log/checkpoints",
    "GET /audit-log/keys",
    "GET /audit-log/legal-hold",
    "PUT /audit-log/legal-hold",
    "GET /approval-policy",
    "PUT /approval-policy",
    "GET /healthz",
    "GET /readyz",
}

PAIRS: list[tuple[type[BaseModel], type[Message]]] = [
    (draft_bodies.CustomerBody, drafts.Customer),
    (draft_bodies.HeaderBody, drafts.DraftHeader),
    (draft_bodies.LineBody, drafts.DraftLine),
    (draft_bodies.SourceDocumentBody, drafts.SourceDocument),
    (draft_bodies.IssueBody, drafts.Issue),
    (draft_bodies.SubmitBody, approvals.SubmitDraftRequest),
    (EditBody, approvals.EditDraftRequest),
    (push_bodies.RejectBody, approvals.RejectDraftRequest),
    (push_bodies.RetryBody, pushes.RetryPushRequest),
    (push_bodies.BatchApproveBody, approvals.BatchApproveDraftsRequest),
    (push_bodies.BatchPushBody, pushes.BatchPushDraftsRequest),
    (connection_bodies.CreateConnectionBody, connections.CreateConnectionRequest),
    (connection_bodies.UpdateConnectionBody, connections.UpdateConnectionRequest),
    (settlements.ResolveBody, pushes.ResolveExportRequest),
    (settlements.LegalHoldBody, seals.SetLegalHoldRequest),
    (filters.SealPage, seals.ListCheckpointsRequest),
    (settlements.PolicyBody, approvals.SetApprovalPolicyRequest),
    (filters.DraftFilters, approvals.ListDraftsRequest),
    (filters.ExportFilters, pushes.ListExportsRequest),
    (filters.AuditFilters, audit.ListEventsRequest),
    (filters.AuditExportFilters, audit.ExportEventsRequest),
]
# `lines` is content of the messages; its limit is checked through DraftContent below.
_KEYS = (
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "maxProperties",
)
# Ours, beside what the contracts ask: a UUID's form, no NUL in a query, room of an int32 or int64.
_OWN = {r"^[^\x00]*$"}


def rules_of(field: FieldDescriptor) -> dict[str, Any]:
    """The contract's rules for a field, in the words of JSON Schema."""
    rules = field.GetOptions().Extensions[validate_pb2.field]
    found: dict[str, Any] = {}
    for message, names in (
        (rules.string, {"min_len": "minLength", "max_len": "maxLength", "pattern": "pattern"}),
        (rules.repeated, {"min_items": "minItems", "max_items": "maxItems"}),
        (rules.map, {"max_pairs": "maxProperties"}),
        (rules.int32, {"gte": "minimum", "lte": "maximum"}),
        (rules.int64, {"gte": "minimum", "lte": "maximum"}),
    ):
        found |= {
            key: getattr(message, name) for name, key in names.items() if message.HasField(name)
        }
    return found


def rules_in(schema: dict[str, Any]) -> dict[str, Any]:
    """The rules in a JSON Schema, through anyOf."""
    found = {key: schema[key] for key in _KEYS if key in schema}
    for variant in schema.get("anyOf", ()):
        found |= rules_in(variant)
    return {key: value for key, value in found.items() if value not in _OWN}


def _covered() -> list[Any]:
    return [
        pytest.param(model, message, name, id=f"{model.__name__}.{name}")
        for model, message in PAIRS
        for name in model.model_fields
        if name in message.DESCRIPTOR.fields_by_name
    ]


@pytest.mark.parametrize(("model", "message", "name"), _covered())
def test_rule_of_a_field_is_the_contracts(
    model: type[BaseModel], message: type[Message], name: str
) -> None:
    expected = rules_of(message.DESCRIPTOR.fields_by_name[name])
    schema = model.model_json_schema()["properties"][name]
    actual = rules_in(schema)
    if "uuid" in str(schema):
        expected.pop("maxLength", None)  # a UUID has its length
    if name == "page_size":
        expected["minimum"] = 1  # 0 means "the default", which over REST is leaving it out
    if name in {"stuck_for_seconds", "line_no"}:
        expected.setdefault("maximum", 2**31 - 1)
    if name in {"after_seq", "up_to_seq"}:
        expected.setdefault("maximum", 2**63 - 1)
    assert actual == expected


@pytest.mark.parametrize("model", [draft_bodies.SubmitBody, EditBody])
def test_a_draft_takes_as_many_lines_as_the_contract(model: type[BaseModel]) -> None:
    expected = rules_of(drafts.DraftContent.DESCRIPTOR.fields_by_name["lines"])
    assert rules_in(model.model_json_schema()["properties"]["lines"]) == expected


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = describe_app().openapi()
    return found


def test_routes_are_those_of_the_design(document: dict[str, Any]) -> None:
    found = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert found == ROUTES


def test_committed_document_is_current(document: dict[str, Any]) -> None:
    """Otherwise: `python -m countersign_gateway.write_openapi gateway/openapi.json`."""
    assert json.loads(COMMITTED.read_text()) == json.loads(json.dumps(document))


def test_document_is_complete(document: dict[str, Any]) -> None:
    operations = [
        operation for methods in document["paths"].values() for operation in methods.values()
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names)
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    for operation in operations:
        success = [each for status, each in operation["responses"].items() if status < "300"]
        assert success
        for response in success:
            assert all(content["schema"] for content in response["content"].values()), operation


def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert references <= set(document["components"]["schemas"])


def test_lean_routes_document_their_path_and_headers(document: dict[str, Any]) -> None:
    push = document["paths"]["/draft-orders/{id}/push"]["post"]
    assert [each["name"] for each in push["parameters"]] == ["id", "If-Match", "Idempotency-Key"]
    assert set(push["responses"]) >= {"200", "202", "400", "401", "403", "404", "409", "412", "422"}
    approve = document["paths"]["/draft-orders/{id}/approve"]["post"]
    assert [each["name"] for each in approve["parameters"]] == ["id", "If-Match"]


def test_merge_patches_are_taken_under_their_own_media_type(document: dict[str, Any]) -> None:
    body = document["paths"]["/draft-orders/{id}"]["patch"]["requestBody"]
    assert set(body["content"]) == {"application/json", "application/merge-patch+json"}
