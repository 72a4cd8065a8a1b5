"""Exports page by page, newest first."""

from dataclasses import dataclass

from countersign_platform.paging import decode_page_token, encode_page_token
from countersign_platform.rpc.call import Call
from countersign_push.export_filters import ExportFilters, ExportPosition
from countersign_push.export_record import ExportRecord
from countersign_push.store.exports import ExportStore

DEFAULT_PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class ExportPage:
    """One page; `next_page_token` is empty on the last."""

    exports: list[ExportRecord]
    next_page_token: str


class ListExports:
    """Lists the exports of the caller's org."""

    def __init__(self, exports: ExportStore) -> None:
        self._exports = exports

    async def __call__(
        self, call: Call, filters: ExportFilters, page_size: int, page_token: str
    ) -> ExportPage:
        """The page after `page_token`; a size of 0 means 50.

        Raises:
            CountersignError: PAGE_TOKEN_INVALID.
        """
        size = page_size or DEFAULT_PAGE_SIZE
        parts = decode_page_token(page_token, filters.as_json())
        after = None if parts is None else ExportPosition.from_parts(parts)
        # One row more than asked tells whether there is a next page.
        found = await self._exports.list(call.org_id, filters, after, size + 1)
        page = found[:size]
        return ExportPage(page, _next_token(filters, page) if len(found) > size else "")


def _next_token(filters: ExportFilters, page: list[ExportRecord]) -> str:
    last = ExportPosition(page[-1].created_at, page[-1].id)
    return encode_page_token(filters.as_json(), last.as_parts())
