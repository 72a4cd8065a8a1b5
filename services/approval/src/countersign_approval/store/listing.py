"""Lists of drafts: composed, because the WHERE depends on the request."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    TIMESTAMP,
    ColumnElement,
    Date,
    Select,
    Text,
    Uuid,
    any_,
    column,
    literal,
    or_,
    select,
    table,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from countersign_approval.draft import DraftSummary
from countersign_approval.draft_filters import DraftFilters, DraftPosition
from countersign_approval.store.rows import summary_of
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
    column("total_value"),
    column("line_count"),
    column("blocking_reasons"),
    column("created_at", TIMESTAMP(timezone=True)),
    column("updated_at"),
    column("approved_by", Text()),
    schema="approval",
).alias("d")
_SHOWN = [found for found in _D.c if found.name != "org_id"]
_DIALECT = dialect()  # type: ignore[no-untyped-call] # SQLAlchemy left its types out


class ListingStore:
    """Lists of one org at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, org_id: UUID, filters: DraftFilters, after: DraftPosition | None, limit: int
    ) -> list[DraftSummary]:
        """At most `limit` drafts, newest first, those behind `after`."""
        query = (
            select(*_SHOWN)
            .where(_D.c.org_id == org_id, *_conditions(filters))
            .order_by(_D.c.created_at.desc(), _D.c.id.desc())
            .limit(limit)
        )
        if after is not None:
            query = query.where(_behind(after))
        sql, arguments = compiled(query)
        return [summary_of(row) for row in await self._database.fetch(sql, *arguments)]


def compiled(query: Select[Any]) -> tuple[str, list[Any]]:
    """The query as asyncpg takes it: text with $1, $2 … and their values."""
    result = query.compile(dialect=_DIALECT)
    names = result.positiontup or ()
    return str(result), [result.params[name] for name in names]


def _behind(after: DraftPosition) -> ColumnElement[bool]:
    position = tuple_(literal(after.created_at, TIMESTAMP(timezone=True)), literal(after.id))
    return tuple_(_D.c.created_at, _D.c.id) < position


def _conditions(filters: DraftFilters) -> list[ColumnElement[bool]]:
    found = _search_conditions(filters)
    if filters.statuses:
        found.append(_D.c.status == any_(literal(list(filters.statuses), ARRAY(Text()))))
    if filters.created_from is not None:
        found.append(_D.c.created_at >= filters.created_from)
    if filters.created_to is not None:
        found.append(_D.c.created_at < filters.created_to)
    if filters.order_date_from is not None:
        found.append(_D.c.order_date >= filters.order_date_from)
    if filters.order_date_to is not None:
        found.append(_D.c.order_date <= filters.order_date_to)
    return found


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
