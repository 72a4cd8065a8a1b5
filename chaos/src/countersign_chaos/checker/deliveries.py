"""One export, one file; one push, one export."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from countersign_chaos.checker.evidence import Evidence, OrgEvidence, Row
from countersign_chaos.checker.finding import Finding, Kind

DELIVERED = {"SENT", "ACKED"}
_PUSHES = {"push", "retry"}


def check_deliveries(evidence: Evidence) -> Iterator[Finding]:
    """Files against exports, exports against answers."""
    files: defaultdict[str, list[Row]] = defaultdict(list)
    for file in evidence.files:
        if "unreadable" in file:
            yield Finding(
                Kind.UNTRUE, file["name"], f"a file that is not whole: {file['unreadable']}"
            )
        else:
            files[file["export_id"]].append(file)
    exports = {row["id"]: row for org in evidence.orgs.values() for row in org.exports}
    for export in exports.values():
        yield from _check_export(export, files[export["id"]])
    for export_id in files.keys() - exports.keys():
        yield Finding(Kind.UNTRUE, export_id, "a file of an export that does not exist")
    for org in evidence.orgs.values():
        yield from _check_drafts(org, files)
    yield from _check_acknowledged(evidence, exports)


def was_delivered(export: Row) -> bool:
    """Whether the API says that its file reached the ERP; a file that was refused did."""
    return export["status"] in DELIVERED or export["sent_at"] is not None


def _check_export(export: Row, files: list[Row]) -> Iterator[Finding]:
    export_id, status = export["id"], export["status"]
    if len(files) > 1:
        yield Finding(Kind.DOUBLED, export_id, f"{len(files)} files of one export, {status}")
    if status == "PENDING":
        held = ", held" if export["outcome_unknown_since"] else ""
        yield Finding(Kind.STUCK, export_id, f"export is still PENDING{held}: {export['error']}")
    elif was_delivered(export):
        if not files:
            yield Finding(Kind.LOST, export_id, f"{status} ({export['evidence']}), but no file")
    elif files:
        yield Finding(Kind.UNTRUE, export_id, "FAILED without a delivery, but there was a file")
    if status == "FAILED" and not (export["error"] or {}).get("code"):
        yield Finding(Kind.UNTRUE, export_id, "FAILED without a reason")
    for file in files:
        yield from _check_file(export, file)


def _check_file(export: Row, file: Row) -> Iterator[Finding]:
    told = {
        "name": export["file_name"],
        "draft_id": export["draft_order_id"],
        "content_sha256": export["content_sha256"],
        "sha256": export["document_sha256"],
    }
    for member, value in told.items():
        if file[member] != value:
            yield Finding(
                Kind.UNTRUE, export["id"], f"{member} of the file is {file[member]}, not {value}"
            )


def _check_drafts(org: OrgEvidence, files: dict[str, list[Row]]) -> Iterator[Finding]:
    live: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    for export in org.exports:
        live[export["draft_order_id"]] += export["status"] != "FAILED"
        # What the ERP refused does not count: a retry after that is a new order to it.
        if files.get(export["id"]) and export["status"] != "FAILED":
            accepted[export["draft_order_id"]] += 1
    for counts, what in ((live, "live exports"), (accepted, "accepted files")):
        for draft_id, count in counts.items():
            if count > 1:
                yield Finding(Kind.DOUBLED, draft_id, f"{count} {what} of one draft")


def _check_acknowledged(evidence: Evidence, exports: dict[str, Row]) -> Iterator[Finding]:
    by_key: dict[tuple[str, str, str], str] = {}
    for request in evidence.requests:
        if request["action"] not in _PUSHES or request["verdict"] != "yes":
            continue
        export = exports.get(request["export_id"])
        if export is None or export["draft_order_id"] != request["draft_id"]:
            yield Finding(Kind.LOST, request["request_id"], "acknowledged, but there is no export")
        if request["key"]:
            key = (request["draft_id"], request["action"], request["key"])
            first = by_key.setdefault(key, request["export_id"])
            if first != request["export_id"]:
                yield Finding(Kind.DOUBLED, request["request_id"], "one key, two exports")
