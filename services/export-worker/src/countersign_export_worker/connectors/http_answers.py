"""What an ERP's answer to a POST says about the order. The table stands in docs/connectors.md.

Only an answer that rules out that the order was taken may be called a failure; whatever else
is not a yes leaves it open.
"""

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from countersign_export_worker.errors import (
    DeliveryError,
    OutcomeUncertain,
    PermanentDeliveryError,
    TransientDeliveryError,
)

# The server did not take the request in, or not for now.
_NOT_NOW = frozenset({408, 425, 429})
# Proxies answer so, too, when the server behind them broke off in the middle. Only one that
# says when to come back has decided not to take the order.
_UNAVAILABLE = 503
# After a 302 or 303 the order may have been taken: browsers' forms are answered like that.
_ELSEWHERE = frozenset({301, 307, 308})
_CONFLICT = 409
_LONGEST_EXCERPT = 200
_SECONDS = re.compile(r"[0-9]{1,9}")
LONGEST_WAIT_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is its beginning; `retry_after` the header as it came, "" without."""

    status: int
    body: str = ""
    retry_after: str = ""


def failure_of(
    answer: Answer, accepted: Collection[int], secrets: Iterable[str], now: datetime
) -> DeliveryError | None:
    """None when the ERP has the order; else what went wrong, with none of `secrets` in it."""
    status = answer.status
    if status in accepted:
        return None
    said = f"The ERP answered {status}{_excerpt(answer.body, secrets)}."
    if status in _NOT_NOW or (status == _UNAVAILABLE and answer.retry_after):
        wait = retry_after_seconds(answer.retry_after, now)
        return TransientDeliveryError("ERP_BUSY", said, retry_after_seconds=wait)
    if status in _ELSEWHERE:
        return PermanentDeliveryError("REDIRECTED", f"{said} Redirects are not followed.")
    if 400 <= status <= 499 and status != _CONFLICT:  # noqa: PLR2004 — the request's own fault
        return PermanentDeliveryError("REJECTED_BY_ERP", said)
    return OutcomeUncertain(f"{said} It may have the order all the same.")


def retry_after_seconds(header: str, now: datetime) -> float:
    """How long to wait by a Retry-After header, a number or a date; 0 when it says nothing."""
    if _SECONDS.fullmatch(header.strip()):
        return min(float(header), LONGEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, math.ceil((moment - now).total_seconds())), LONGEST_WAIT_SECONDS)


def _excerpt(body: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        body = body.replace(secret, "…")
    text = " ".join("".join(char if char.isprintable() else " " for char in body).split())
    return f": {text[:_LONGEST_EXCERPT]}" if text else ""
