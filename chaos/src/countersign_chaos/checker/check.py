"""Every rule, over all of the evidence."""

from countersign_chaos.checker.answers import check_answers
from countersign_chaos.checker.deliveries import check_deliveries
from countersign_chaos.checker.evidence import Evidence
from countersign_chaos.checker.finding import Finding
from countersign_chaos.checker.journeys import check_journeys
from countersign_chaos.checker.trail import check_trail

RULES = (check_deliveries, check_journeys, check_trail, check_answers)


def check(evidence: Evidence) -> list[Finding]:
    """What is not as it must be; empty: all is well."""
    return [finding for rule in RULES for finding in rule(evidence)]
