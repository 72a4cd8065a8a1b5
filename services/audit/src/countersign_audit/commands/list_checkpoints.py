"""List an org's seals, oldest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from countersign_audit.ports import SealReader
from countersign_audit.seals import Seal
from countersign_platform.paging import decode_page_token, encode_page_token, page_token_invalid

DEFAULT_PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class SealPage:
    """Seals, oldest first, and the token of the next page (empty on the last one)."""

    seals: Sequence[Seal]
    next_page_token: str


class ListCheckpoints:
    """Pages by number, so that new seals never shift a page."""

    def __init__(self, reader: SealReader) -> None:
        self._reader = reader

    async def __call__(self, org_id: UUID, page_size: int, page_token: str) -> SealPage:
        """At most `page_size` seals (0: 50).

        Raises:
            CountersignError: PAGE_TOKEN_INVALID.
        """
        bound_to = ["seals", str(org_id)]
        position = decode_page_token(page_token, bound_to)
        size = page_size or DEFAULT_PAGE_SIZE
        seals = await self._reader.seals(org_id, _number(position), size + 1)
        if len(seals) <= size:
            return SealPage(seals, "")
        return SealPage(seals[:size], encode_page_token(bound_to, [str(seals[size - 1].number)]))


def _number(position: tuple[str, ...] | None) -> int:
    if position is None:
        return 0
    if len(position) != 1 or not position[0].isdecimal() or len(position[0]) > len(str(2**63)):
        raise page_token_invalid()
    return min(int(position[0]), 2**63 - 1)
