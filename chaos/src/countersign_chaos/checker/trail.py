"""The audit trail has every act once, and nothing that nobody did."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from countersign_chaos.checker.evidence import Evidence, OrgEvidence, Row
from countersign_chaos.checker.finding import Finding, Kind
from countersign_core.lifecycle import DRAFT_TRANSITIONS, DraftStatus

_RECORDED_AS = {
    "submit": "DRAFT_SUBMITTED",
    "edit": "DRAFT_EDITED",
    "approve": "DRAFT_APPROVED",
    "revoke": "DRAFT_APPROVAL_REVOKED",
    "reject": "DRAFT_REJECTED",
    "push": "DRAFT_PUSHED",
    "retry": "DRAFT_PUSH_RETRIED",
    "resolve": "EXPORT_RESOLVED",
    "cancel": "EXPORT_CANCELLED",
    "expedite": "EXPORT_EXPEDITED",
}
# Repeating them changes nothing and is no act.
_IDEMPOTENT = {"cancel", "expedite"}
_PUSHED = ("DRAFT_PUSHED", "DRAFT_PUSH_RETRIED")

_D = DraftStatus
# Acts that pass through a state within their own transaction.
_COMPOSITE = {
    (_D.READY, _D.READY), (_D.NEEDS_REVIEW, _D.NEEDS_REVIEW), (_D.READY, _D.REJECTED),
}  # fmt: skip


def check_trail(evidence: Evidence) -> Iterator[Finding]:
    """Each org's chain, its acts against what clients were told, and against its drafts."""
    for org in evidence.orgs.values():
        yield from _check_chain(org)
        yield from _check_exports(org)
        yield from _check_balance(org)
    yield from _check_requests(evidence)


def _check_chain(org: OrgEvidence) -> Iterator[Finding]:
    if not org.verdict.get("valid"):
        yield Finding(Kind.AUDIT_GAP, "chain", f"does not verify: {org.verdict.get('problem')}")
    numbers = sorted(event["seq"] for event in org.events)
    if numbers != list(range(1, len(numbers) + 1)):
        yield Finding(Kind.AUDIT_GAP, "chain", "seq is not 1, 2, 3, … without a gap")
    for event_id, count in Counter(event["event_id"] for event in org.events).items():
        if count > 1:
            yield Finding(Kind.AUDIT_GAP, event_id, f"on record {count} times")


def _check_exports(org: OrgEvidence) -> Iterator[Finding]:
    """Each step of an export is on record as often as it was taken."""
    steps: Counter[tuple[str, str]] = Counter()
    for event in org.events:
        steps[_export_of(event), event["action"]] += 1
    for export in org.exports:
        export_id, status = export["id"], export["status"]
        resolved = steps[export_id, "EXPORT_RESOLVED"]
        failed = status == "FAILED"
        wanted = {
            "a push": (sum(steps[export_id, act] for act in _PUSHED), {1}),
            "a success": (steps[export_id, "DRAFT_PUSH_SUCCEEDED"], _successes(export, resolved)),
            "a failure": (
                steps[export_id, "DRAFT_PUSH_FAILED"],
                {0, 1} if failed and resolved else {int(failed)},
            ),
            "an ack": (steps[export_id, "EXPORT_ACKED"], {int(status == "ACKED")}),
        }
        for what, (count, right) in wanted.items():
            if count not in right:
                text = f"{what} of an export that is {status} is on record {count} times"
                yield Finding(Kind.AUDIT_GAP, export_id, text)


def _successes(export: Row, resolved: int) -> set[int]:
    if export["sent_at"] is None or resolved:
        return {0}
    # The ERP may refuse a file before the worker's own report of it.
    return {0, 1} if export["status"] == "FAILED" else {1}


def _export_of(event: Row) -> str:
    if event["entity_type"] == "erp_export":
        return str(event["entity_id"])
    return str((event["after"] or {}).get("erp_export_id", ""))


def _check_requests(evidence: Evidence) -> Iterator[Finding]:
    """Yes: on record once. No: not at all. No answer: once at most."""
    recorded: Counter[tuple[str, str, str]] = Counter()
    for org in evidence.orgs.values():
        for event in org.events:
            recorded[event["request_id"], event["action"], event["draft_order_id"]] += 1
    for request in evidence.requests:
        action = request["action"]
        count = recorded[request["request_id"], _RECORDED_AS[action], request["draft_id"]]
        if count not in _allowed(request):
            text = f"{action} was answered {request['verdict']} ({request['reason']})"
            yield Finding(
                Kind.AUDIT_GAP, request["request_id"], f"{text}, but is on record {count} times"
            )


def _allowed(request: Row) -> set[int]:
    verdict = request["verdict"]
    if verdict == "no":
        return {0}
    if verdict == "unknown" or request["action"] in _IDEMPOTENT:
        return {0, 1}
    if request["replayed"]:
        return {0}
    # A submit that the gateway repeated finds the draft that its first attempt made.
    return {1} if request["created"] else {0, 1}


def _check_balance(org: OrgEvidence) -> Iterator[Finding]:
    """The moves on record of each draft lead from nothing to where it stands."""
    moves: defaultdict[str, list[tuple[str | None, str]]] = defaultdict(list)
    edits = {
        (event["draft_order_id"], event["after"]["version"])
        for event in org.events
        if event["action"] == "DRAFT_EDITED"
    }
    for event in org.events:
        move = _move(event, edits)
        if move is not None:
            moves[event["draft_order_id"]].append(move)
    for draft in org.drafts:
        yield from _check_moves(draft, moves[draft["id"]])


def _check_moves(draft: Row, moves: list[tuple[str | None, str]]) -> Iterator[Finding]:
    for source, target in moves:
        if source is not None and not _is_known(source, target):
            yield Finding(Kind.ILLEGAL_MOVE, draft["id"], f"{source} → {target} is on record")
    balance: Counter[str | None] = Counter()
    for source, target in moves:
        balance[target] += 1
        balance[source] -= 1
    balance[draft["status"]] -= 1
    balance[None] += 1
    if off := {status: count for status, count in balance.items() if count}:
        yield Finding(Kind.AUDIT_GAP, draft["id"], f"moves on record do not add up: {off}")


def _move(event: Row, edits: set[tuple[str, int]]) -> tuple[str | None, str] | None:
    before, after = event["before"] or {}, event["after"] or {}
    if event["action"] == "EXPORT_RESOLVED":
        return before["draft_status"], after["draft_status"]
    if event["entity_type"] != "draft_order":
        return None
    # An edit of what was approved is two events and one move.
    revoked = event["action"] == "DRAFT_APPROVAL_REVOKED"
    if revoked and (event["draft_order_id"], after["version"]) in edits:
        return None
    return before.get("status"), after["status"]


def _is_known(source: str, target: str) -> bool:
    one, other = DraftStatus(source), DraftStatus(target)
    return other in DRAFT_TRANSITIONS[one] or (one, other) in _COMPOSITE
