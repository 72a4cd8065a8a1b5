"""What clients were told, and what the ERP said, is what happened."""

from collections.abc import Iterator

from countersign_chaos.checker.evidence import Evidence, Row
from countersign_chaos.checker.finding import Finding, Kind

_ACCEPTED = {"right", "duplicate", "late"}


def check_answers(evidence: Evidence) -> Iterator[Finding]:
    """Refusals that name an export, pushes that name their maker, answers of the ERP."""
    exports = {row["id"]: row for org in evidence.orgs.values() for row in org.exports}
    for request in evidence.requests:
        yield from _check_refusal(request, exports)
        yield from _check_maker(request, exports)
    by_name = {
        (org, row["file_name"]): row
        for org, record in evidence.orgs.items()
        for row in record.exports
    }
    for answer in evidence.answers:
        yield from _check_erp(answer, by_name.get((answer["org"], answer["name"])))


def _check_refusal(request: Row, exports: dict[str, Row]) -> Iterator[Finding]:
    if request["verdict"] != "no" or request["action"] not in {"push", "retry"}:
        return
    named = request["export_id"]
    if named and (exports.get(named) or {}).get("draft_order_id") != request["draft_id"]:
        yield Finding(
            Kind.UNTRUE, request["request_id"], f"refused over {named}, which is not there"
        )


def _check_maker(request: Row, exports: dict[str, Row]) -> Iterator[Finding]:
    if request["verdict"] != "yes" or request["action"] not in {"push", "retry"}:
        return
    export = exports.get(request["export_id"])
    if export and not request["replayed"] and export["created_by_user_id"] != request["actor"]:
        yield Finding(
            Kind.UNTRUE, request["request_id"], "said to be new, but somebody else made it"
        )


def _check_erp(answer: Row, export: Row | None) -> Iterator[Finding]:
    if export is None:
        return  # a file without an export is found among the deliveries
    kind, status = answer["answer"], export["status"]
    if kind in _ACCEPTED and (status != "ACKED" or not export["erp_order_id"]):
        yield Finding(Kind.LOST, export["id"], f"the ERP's ack: the export is {status}")
    elif kind == "refused" and (status != "FAILED" or export["sent_at"] is None):
        yield Finding(Kind.LOST, export["id"], f"the ERP's refusal: the export is {status}")
    elif kind == "malformed" and status != "SENT":
        yield Finding(Kind.UNTRUE, export["id"], f"{status} after an answer without sense")
