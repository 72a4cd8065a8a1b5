"""The checker finds what was planted in the evidence of a real, quiet run, and nothing else."""

import gzip
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from countersign_chaos.checker.check import check
from countersign_chaos.checker.evidence import Evidence, OrgEvidence
from countersign_chaos.checker.finding import Kind

RECORDED = Path(__file__).parent / "data" / "quiet_run.json.gz"
Row = dict[str, Any]


@pytest.fixture(scope="module")
def recorded() -> Evidence:
    data = json.loads(gzip.decompress(RECORDED.read_bytes()))
    orgs = {org: OrgEvidence(**record) for org, record in data.pop("orgs").items()}
    return Evidence(**data, orgs=orgs)


@pytest.fixture
def evidence(recorded: Evidence) -> Evidence:
    return deepcopy(recorded)


def rows(evidence: Evidence, name: str) -> list[Row]:
    return [row for org in evidence.orgs.values() for row in getattr(org, name)]


def first(found: list[Row], **members: Any) -> Row:
    return next(row for row in found if all(row[key] == value for key, value in members.items()))


def remove(evidence: Evidence, name: str, row: Row) -> None:
    for org in evidence.orgs.values():
        kept = getattr(org, name)
        kept[:] = [each for each in kept if each is not row]


def test_a_quiet_run_is_as_it_must_be(evidence: Evidence) -> None:
    assert check(evidence) == []
    assert len(evidence.requests) > 100
    assert {row["status"] for row in rows(evidence, "exports")} >= {"SENT", "ACKED", "FAILED"}


def doubled_file(evidence: Evidence) -> None:
    evidence.files.append(dict(evidence.files[3]))


def lost_file(evidence: Evidence) -> None:
    del evidence.files[3]


def half_a_file(evidence: Evidence) -> None:
    name = evidence.files[3]["name"]
    evidence.files[3] = {"name": name, "unreadable": "JSONDecodeError"}


def other_bytes(evidence: Evidence) -> None:
    evidence.files[3]["sha256"] = "0" * 64


def other_content(evidence: Evidence) -> None:
    evidence.files[3]["content_sha256"] = "0" * 64


def file_of_nobody(evidence: Evidence) -> None:
    evidence.files.append(evidence.files[3] | {"export_id": "nobody"})


def lost_export(evidence: Evidence) -> None:
    remove(evidence, "exports", first(rows(evidence, "exports"), status="SENT"))


def second_live_export(evidence: Evidence) -> None:
    org = next(iter(evidence.orgs.values()))
    org.exports.append(first(org.exports, status="ACKED") | {"id": "twin"})


def export_for_ever(evidence: Evidence) -> None:
    first(rows(evidence, "exports"), status="SENT")["status"] = "PENDING"


def failed_but_delivered(evidence: Evidence) -> None:
    export = first(rows(evidence, "exports"), status="SENT")
    export |= {"status": "FAILED", "sent_at": None, "error": {"code": "DISK_FULL"}}


def failed_without_reason(evidence: Evidence) -> None:
    first(rows(evidence, "exports"), status="FAILED")["error"] = None


def draft_for_ever(evidence: Evidence) -> None:
    first(rows(evidence, "drafts"), status="PUSHED")["status"] = "PUSHING"


def draft_apart_from_its_export(evidence: Evidence) -> None:
    first(rows(evidence, "drafts"), status="PUSHED")["status"] = "ERROR"


def illegal_move_in_the_feed(evidence: Evidence) -> None:
    first(rows(evidence, "changes"), to_status="PUSHED")["from_status"] = "READY"


def illegal_move_on_record(evidence: Evidence) -> None:
    event = first(rows(evidence, "events"), action="DRAFT_PUSHED")
    event["before"]["status"] = "REJECTED"


def missing_change_in_the_feed(evidence: Evidence) -> None:
    change = first(rows(evidence, "changes"), to_status="PUSHING")
    remove(evidence, "changes", change)


def missing_event(action: str) -> Callable[[Evidence], None]:
    """An act is not on record; the numbers close up, as after an insert that never came."""

    def plant(evidence: Evidence) -> None:
        event = first(rows(evidence, "events"), action=action)
        remove(evidence, "events", event)
        for org in evidence.orgs.values():
            for number, each in enumerate(sorted(org.events, key=lambda row: row["seq"]), 1):
                each["seq"] = number

    plant.__name__ = f"missing_{action.lower()}"
    return plant


def event_twice(evidence: Evidence) -> None:
    org = next(iter(evidence.orgs.values()))
    event = first(org.events, action="DRAFT_PUSHED")
    org.events.append(event | {"seq": len(org.events) + 1})


def same_act_under_a_new_id(evidence: Evidence) -> None:
    org = next(iter(evidence.orgs.values()))
    event = first(org.events, action="DRAFT_APPROVED")
    org.events.append(event | {"seq": len(org.events) + 1, "event_id": "another"})


def gap_in_the_chain(evidence: Evidence) -> None:
    event = first(rows(evidence, "events"), action="CONNECTION_CREATED")
    remove(evidence, "events", event)


def broken_chain(evidence: Evidence) -> None:
    next(iter(evidence.orgs.values())).verdict["valid"] = False


def refused_yet_on_record(evidence: Evidence) -> None:
    first(evidence.requests, action="approve", verdict="yes")["verdict"] = "no"


def acknowledged_to_nobody(evidence: Evidence) -> None:
    request = first(evidence.requests, action="push", verdict="yes")
    request |= {"export_id": "never made", "replayed": True, "key": None}


def one_key_two_exports(evidence: Evidence) -> None:
    push = first(evidence.requests, action="push", verdict="yes", replayed=False)
    other = next(
        row
        for row in evidence.requests
        if row["verdict"] == "yes" and row["action"] == "push" and row["org"] == push["org"]
        if row["draft_id"] != push["draft_id"]
    )
    evidence.requests.append(push | {"export_id": other["export_id"], "replayed": True})


def somebody_elses_push(evidence: Evidence) -> None:
    first(evidence.requests, action="push", verdict="yes", replayed=False)["actor"] = "mallory"


def lost_ack(evidence: Evidence) -> None:
    first(rows(evidence, "exports"), status="ACKED")["status"] = "SENT"


def lost_refusal(evidence: Evidence) -> None:
    name = first(evidence.answers, answer="refused")["name"]
    first(rows(evidence, "exports"), file_name=name)["status"] = "SENT"


def temporary_file(evidence: Evidence) -> None:
    next(iter(evidence.orgs.values())).leftovers.append(".sales_order_1.json.tmp")


PLANTED = {
    doubled_file: Kind.DOUBLED,
    lost_file: Kind.LOST,
    half_a_file: Kind.UNTRUE,
    other_bytes: Kind.UNTRUE,
    other_content: Kind.UNTRUE,
    file_of_nobody: Kind.UNTRUE,
    lost_export: Kind.LOST,
    second_live_export: Kind.DOUBLED,
    export_for_ever: Kind.STUCK,
    failed_but_delivered: Kind.UNTRUE,
    failed_without_reason: Kind.UNTRUE,
    draft_for_ever: Kind.STUCK,
    draft_apart_from_its_export: Kind.UNTRUE,
    illegal_move_in_the_feed: Kind.ILLEGAL_MOVE,
    illegal_move_on_record: Kind.ILLEGAL_MOVE,
    missing_change_in_the_feed: Kind.UNTRUE,
    missing_event("DRAFT_SUBMITTED"): Kind.AUDIT_GAP,
    missing_event("DRAFT_EDITED"): Kind.AUDIT_GAP,
    missing_event("DRAFT_APPROVED"): Kind.AUDIT_GAP,
    missing_event("DRAFT_PUSHED"): Kind.AUDIT_GAP,
    missing_event("DRAFT_PUSH_SUCCEEDED"): Kind.AUDIT_GAP,
    missing_event("DRAFT_PUSH_FAILED"): Kind.AUDIT_GAP,
    missing_event("EXPORT_ACKED"): Kind.AUDIT_GAP,
    event_twice: Kind.AUDIT_GAP,
    same_act_under_a_new_id: Kind.AUDIT_GAP,
    gap_in_the_chain: Kind.AUDIT_GAP,
    broken_chain: Kind.AUDIT_GAP,
    refused_yet_on_record: Kind.AUDIT_GAP,
    acknowledged_to_nobody: Kind.LOST,
    one_key_two_exports: Kind.DOUBLED,
    somebody_elses_push: Kind.UNTRUE,
    lost_ack: Kind.LOST,
    lost_refusal: Kind.LOST,
    temporary_file: Kind.LEFT_BEHIND,
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_is_planted_is_found(plant: Callable[[Evidence], None], evidence: Evidence) -> None:
    """Each fault, alone, is found under its own name."""
    plant(evidence)
    assert PLANTED[plant] in {finding.kind for finding in check(evidence)}
