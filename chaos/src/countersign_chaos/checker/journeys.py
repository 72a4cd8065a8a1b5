"""Every state is one that the life cycle leads to, and every move one that it knows."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from countersign_chaos.checker.deliveries import DELIVERED
from countersign_chaos.checker.evidence import Evidence, OrgEvidence, Row
from countersign_chaos.checker.finding import Finding, Kind
from countersign_core.lifecycle import DRAFT_TRANSITIONS, DraftStatus


def check_journeys(evidence: Evidence) -> Iterator[Finding]:
    """Drafts against their exports, and against what a watcher of the feed was told."""
    for org in evidence.orgs.values():
        yield from _check_states(org)
        yield from _check_feed(org)
        for name in org.leftovers:
            yield Finding(Kind.LEFT_BEHIND, name, "still there")


def _check_states(org: OrgEvidence) -> Iterator[Finding]:
    pushed = {row["draft_order_id"] for row in org.exports if row["status"] in DELIVERED}
    for draft in org.drafts:
        status = draft["status"]
        if status == "PUSHING":
            yield Finding(Kind.STUCK, draft["id"], "draft is still PUSHING")
        elif (status == "PUSHED") != (draft["id"] in pushed):
            yield Finding(Kind.UNTRUE, draft["id"], f"draft is {status} beside its exports")


def _check_feed(org: OrgEvidence) -> Iterator[Finding]:
    told: defaultdict[str, dict[int, Row]] = defaultdict(dict)
    for change in org.changes:
        told[change["draft_order_id"]][change["version"]] = change
    current = {draft["id"]: draft["status"] for draft in org.drafts}
    for draft_id, by_version in told.items():
        changes = [by_version[version] for version in sorted(by_version)]
        for change in changes:
            if not _is_legal(change["from_status"], change["to_status"]):
                text = f"{change['from_status']} → {change['to_status']}"
                yield Finding(Kind.ILLEGAL_MOVE, draft_id, text)
        for one, next_one in pairwise(changes):
            if one["to_status"] != next_one["from_status"]:
                yield Finding(Kind.UNTRUE, draft_id, f"the feed leaves out what followed {one}")
        if changes[-1]["to_status"] != current.get(draft_id):
            yield Finding(Kind.UNTRUE, draft_id, f"the feed ends with {changes[-1]['to_status']}")


def _is_legal(source: str | None, target: str) -> bool:
    if source is None:
        return target in DraftStatus.__members__
    return DraftStatus(target) in DRAFT_TRANSITIONS[DraftStatus(source)]
