"""List: the org's events, newest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from countersign_audit.chain import timestamp_text
from countersign_audit.event import Link
from countersign_audit.filter_check import require_sensible
from countersign_audit.ports import EventFilters, EventReader
from countersign_platform.paging import (
    decode_page_token,
    encode_page_token,
    page_token_invalid,
)

DEFAULT_PAGE_SIZE = 50
# Of `before` and `after` together: what a page holds must fit into one message (32 MiB).
PAGE_CHARACTERS = 4_000_000
_LARGEST_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page:
    """Links, newest first, and the token of the next page (empty on the last one)."""

    links: Sequence[Link]
    next_page_token: str


class ListEvents:
    """Pages through the trail by seq, so that new events never shift a page."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader

    async def __call__(
        self, org_id: UUID, filters: EventFilters, page_size: int, page_token: str
    ) -> Page:
        """At most `page_size` links (0: 50); fewer where they are very large.

        Raises:
            InvalidRequest: filters that could match nothing by mistake.
            CountersignError: PAGE_TOKEN_INVALID.
        """
        require_sensible(filters)
        bound_to = _bound_to(org_id, filters)
        below_seq = _position(decode_page_token(page_token, bound_to))
        size = page_size or DEFAULT_PAGE_SIZE
        links = await self._reader.page(org_id, filters, below_seq, size + 1)
        fitting = _fitting(links[:size])
        if len(fitting) == len(links):
            return Page(fitting, "")
        return Page(fitting, encode_page_token(bound_to, [str(fitting[-1].seq)]))


def _fitting(links: Sequence[Link]) -> Sequence[Link]:
    characters = 0
    for count, link in enumerate(links):
        characters += len(link.event.before_json) + len(link.event.after_json)
        if characters > PAGE_CHARACTERS and count:
            return links[:count]
    return links


def _bound_to(org_id: UUID, filters: EventFilters) -> dict[str, Any]:
    moments = {"occurred_from": filters.occurred_from, "occurred_to": filters.occurred_to}
    texts = {name: value and timestamp_text(value) for name, value in moments.items()}
    actions = sorted(set(filters.actions))
    return {"org_id": str(org_id), **asdict(filters), **texts, "actions": actions}


def _position(position: tuple[str, ...] | None) -> int | None:
    if position is None:
        return None
    if len(position) != 1 or not position[0].isdecimal():
        raise page_token_invalid()
    return min(int(position[0]), _LARGEST_SEQ)
