"""Lists of drafts: composed, because the WHERE depends on the request."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    TIMESTAMP,
    ColumnElement,
    Date,
    Numeric,
    ScalarSelect,
    Text,
    Uuid,
    any_,
    column,
    func,
    literal,
    or_,
    select,
    table,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from countersign_approval.draft import DraftSummary
from countersign_approval.draft_filters import DraftFilters, DraftPosition
from countersign_approval.draft_sort import SORT_KEYS, DraftSort, SortKey
from countersign_approval.store.rows import summary_of
from countersign_core.lifecycle import DraftStatus
from countersign_platform.database.composed import at_most, composed
from countersign_platform.database.pool import Database

_D = table(
    "draft_orders",
    column("org_id", Uuid()),
    column("id", Uuid()),
    column("external_ref", Text()),
    column("status", Text()),
    column("version"),
    column("customer_name", Text()),
    column("erp_customer_number", Text()),
    column("external_order_number", Text()),
    column("order_date", Date()),
    column("currency", Text()),
    column("total_value", Numeric()),
    column("line_count"),
    column("blocking_reasons"),
    column("created_at", TIMESTAMP(timezone=True)),
    column("updated_at", TIMESTAMP(timezone=True)),
    column("approved_by", Text()),
    column("last_edited_by", Text()),
    schema="approval",
).alias("d")
_SHOWN = [found for found in _D.c if found.name != "org_id"]


class ListingStore:
    """Lists of one org at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, org_id: UUID, filters: DraftFilters, after: DraftPosition | None, limit: int
    ) -> list[DraftSummary]:
        """At most `limit` drafts in the filters' order, those behind `after`."""
        query = (
            select(*_SHOWN)
            .where(_D.c.org_id == org_id, *_conditions(filters), *_status_condition(filters))
            .order_by(*_order(filters.sort))
            .limit(at_most(limit))
        )
        if after is not None:
            query = query.where(_behind(filters.sort, after))
        sql, arguments = composed(query)
        return [summary_of(row) for row in await self._database.fetch(sql, *arguments)]

    async def counts(
        self, org_id: UUID, filters: DraftFilters, limit: int
    ) -> dict[DraftStatus, int]:
        """How many drafts have each status, whatever the filters' own; counted up to `limit`."""
        chosen = (_D.c.org_id == org_id, *_conditions(filters))
        sql, arguments = composed(
            select(*(_counted(chosen, status, limit).label(status.value) for status in DraftStatus))
        )
        (row,) = await self._database.fetch(sql, *arguments)
        return {status: row[status.value] for status in DraftStatus}


def _order(sort: DraftSort) -> list[ColumnElement[Any]]:
    key = SORT_KEYS[sort]
    columns = (_placed_by(key), _D.c.id)
    return [each.desc() if key.descending else each.asc() for each in columns]


def _behind(sort: DraftSort, after: DraftPosition) -> ColumnElement[bool]:
    key = SORT_KEYS[sort]
    placed = tuple_(_placed_by(key), _D.c.id)
    position = tuple_(literal(after.key, _D.c[key.field].type), literal(after.id))
    return placed < position if key.descending else placed > position


def _placed_by(key: SortKey) -> ColumnElement[Any]:
    found = _D.c[key.field]
    return found if key.absent is None else func.coalesce(found, literal(key.absent, found.type))


def _counted(
    chosen: tuple[ColumnElement[bool], ...], status: DraftStatus, limit: int
) -> ScalarSelect[int]:
    # A status at a time: then each stops at the limit, along the index of its status.
    some = (
        select(literal(1))
        .where(*chosen, _D.c.status == status.value)
        .limit(at_most(limit))
        .subquery()
    )
    return select(func.count()).select_from(some).scalar_subquery()


def _conditions(filters: DraftFilters) -> list[ColumnElement[bool]]:
    found = _search_conditions(filters)
    if filters.ids:
        found.append(_D.c.id == any_(literal(list(filters.ids), ARRAY(Uuid()))))
    if filters.created_from is not None:
        found.append(_D.c.created_at >= filters.created_from)
    if filters.created_to is not None:
        found.append(_D.c.created_at < filters.created_to)
    if filters.order_date_from is not None:
        found.append(_D.c.order_date >= filters.order_date_from)
    if filters.order_date_to is not None:
        found.append(_D.c.order_date <= filters.order_date_to)
    return found


def _status_condition(filters: DraftFilters) -> list[ColumnElement[bool]]:
    if not filters.statuses:
        return []
    return [_D.c.status == any_(literal(list(filters.statuses), ARRAY(Text())))]


def _search_conditions(filters: DraftFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.customer:
        found.append(
            or_(
                _D.c.erp_customer_number == filters.customer,
                _D.c.customer_name.icontains(filters.customer, autoescape=True),
            )
        )
    if filters.q:
        found.append(
            or_(
                _D.c.external_ref.istartswith(filters.q, autoescape=True),
                _D.c.external_order_number.istartswith(filters.q, autoescape=True),
                _D.c.customer_name.icontains(filters.q, autoescape=True),
            )
        )
    return found
