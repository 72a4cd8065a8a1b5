"""Many approved drafts and a connection, put into the database as the services would leave them.

The content is one that the approval service itself made, submitted once over gRPC.
"""

from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from bench.stack import BenchStack
from countersign_cli.stack.ports import HOST

# One transaction each, so that a large seed does not hold everything in one.
_BATCH = 50_000

_ROWS = """
WITH made AS (
    INSERT INTO approval.draft_orders (
           org_id, id, external_ref, status, version, content_version, content_sha256,
           submission_sha256, erp_customer_number, customer_name, external_order_number,
           order_date, currency, total_value, line_count, created_at, created_by,
           last_edited_by, approved_at, approved_by, approved_content_version, approved_sha256)
    SELECT d.org_id, {identity}, 'bench-' || gen_random_uuid(), $3, 2, d.content_version,
           d.content_sha256, d.submission_sha256, d.erp_customer_number, d.customer_name,
           d.external_order_number, d.order_date, d.currency, d.total_value, d.line_count,
           now() - make_interval(secs => n), 'bench', 'bench',
           CASE WHEN $3 = 'APPROVED' THEN now() END,
           CASE WHEN $3 = 'APPROVED' THEN 'bench-approver' END,
           CASE WHEN $3 = 'APPROVED' THEN d.content_version END,
           CASE WHEN $3 = 'APPROVED' THEN d.content_sha256 END
      FROM approval.draft_orders d CROSS JOIN generate_series(1, $4::int) n
     WHERE d.org_id = $1 AND d.id = $2
    RETURNING org_id, id
), content AS (
    INSERT INTO approval.draft_contents (
           org_id, draft_id, content_version, content, content_sha256, created_by)
    SELECT made.org_id, made.id, c.content_version, c.content, c.content_sha256, 'bench'
      FROM made CROSS JOIN approval.draft_contents c
     WHERE c.org_id = $1 AND c.draft_id = $2
)
SELECT id FROM made
"""

# Rows that are only there: four in five pushed long ago, the others still to be looked at.
_FILLERS = """
INSERT INTO approval.draft_orders (
       org_id, id, external_ref, status, version, content_version, content_sha256,
       submission_sha256, erp_customer_number, customer_name, external_order_number,
       order_date, currency, total_value, line_count, created_at, created_by,
       last_edited_by, approved_at, approved_by, approved_content_version, approved_sha256)
SELECT d.org_id, gen_random_uuid(), 'filler-' || gen_random_uuid(), made.status, 2,
       d.content_version, d.content_sha256, d.submission_sha256,
       'C' || (n % 5000), d.customer_name, 'PO-' || n, d.order_date, d.currency, d.total_value,
       d.line_count, now() - make_interval(secs => $4 + n), 'bench', 'bench',
       CASE WHEN made.status = 'PUSHED' THEN now() END,
       CASE WHEN made.status = 'PUSHED' THEN 'bench-approver' END,
       CASE WHEN made.status = 'PUSHED' THEN d.content_version END,
       CASE WHEN made.status = 'PUSHED' THEN d.content_sha256 END
  FROM approval.draft_orders d
 CROSS JOIN generate_series(1, $3::int) n
 CROSS JOIN LATERAL (
       SELECT CASE n % 10 WHEN 0 THEN 'READY' WHEN 1 THEN 'NEEDS_REVIEW' ELSE 'PUSHED' END AS status
       ) made
 WHERE d.org_id = $1 AND d.id = $2
"""

# Of approved drafts, as the push leaves them; nobody is there to deliver.
_WAITING = """
WITH moved AS (
    UPDATE approval.draft_orders SET status = 'PUSHING', version = version + 1
     WHERE org_id = $1 AND id = ANY ($2::uuid[])
    RETURNING org_id, id, content_version, content_sha256, approved_at
)
INSERT INTO push.exports (
       org_id, id, draft_id, connection_id, org_slug, content_version, content_sha256,
       approved_at, file_name, created_by, request_id)
SELECT moved.org_id, made.id, moved.id, c.id, 'bench', moved.content_version,
       moved.content_sha256, moved.approved_at,
       format('sales_order_%s_20260101T000000Z_%s.json', moved.id, left(made.id::text, 8)),
       'bench', 'bench'
  FROM moved JOIN push.erp_connections c ON c.org_id = moved.org_id
 CROSS JOIN LATERAL (SELECT gen_random_uuid() AS id WHERE moved.id IS NOT NULL) made
"""


def order(lines: int = 3) -> dict[str, object]:
    """A submit body that comes out READY."""
    return {
        "external_ref": f"bench-template-{lines}",
        "customer": {"erp_customer_number": "12923", "name": "Spaceboy Gifts Ltd"},
        "header": {
            "external_order_number": "PO-1",
            "order_date": "2026-11-02",
            "currency": "GBP",
        },
        "lines": [
            {
                "line_no": number,
                "internal_sku": str(23_000 + number),
                "qty": "2",
                "uom": "ST",
                "unit_price": "4.15",
                "description": "RETROSPOT LAMP SHADE",
            }
            for number in range(1, lines + 1)
        ],
    }


async def template(stack: BenchStack, lines: int = 3) -> UUID:
    """Submits one draft and answers its id; the same one again for the same `lines`."""
    async with client(stack) as http:
        answer = await http.post("/draft-orders", json=order(lines))
        answer.raise_for_status()
        return UUID(answer.json()["id"])


async def connect_folder(stack: BenchStack, folder: Path) -> None:
    """Makes the org's active connection."""
    folder.mkdir(exist_ok=True)
    async with client(stack) as http:
        answer = await http.post(
            "/erp-connections",
            json={
                "name": "bench",
                "connector_type": "DROPZONE_JSON_V1",
                "config": {"transport": "folder", "export_path": str(folder)},
            },
        )
        answer.raise_for_status()


# Draft number n, for pgbench, which can count but not read a list of ids.
NUMBERED = "('00000000-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


async def drafts(
    database: asyncpg.Connection,
    stack: BenchStack,
    like: UUID,
    count: int,
    status: str = "APPROVED",
    *,
    numbered_from: int | None = None,
) -> list[UUID]:
    """`count` more drafts with the content of `like`, in READY or APPROVED; their ids.

    `numbered_from`: they get the ids of NUMBERED, from this number on.
    """
    ids: list[UUID] = []
    async with database.transaction():
        # The trigger lets no draft begin as APPROVED; a benchmark's seed is not the product.
        await database.execute("ALTER TABLE approval.draft_orders DISABLE TRIGGER USER")
        while len(ids) < count:
            identity = "gen_random_uuid()"
            if numbered_from is not None:
                identity = NUMBERED.format(number=f"{numbered_from + len(ids) - 1} + n")
            rows = await database.fetch(
                _ROWS.format(identity=identity),
                stack.org,
                like,
                status,
                min(_BATCH, count - len(ids)),
            )
            ids += [row["id"] for row in rows]
        await database.execute("ALTER TABLE approval.draft_orders ENABLE TRIGGER USER")
    await settle(database)
    return ids


async def fillers(database: asyncpg.Connection, stack: BenchStack, like: UUID, count: int) -> None:
    """`count` more drafts that nothing will happen to, older than all others."""
    await database.execute("ALTER TABLE approval.draft_orders DISABLE TRIGGER USER")
    for made in range(0, count, _BATCH):
        await database.execute(
            _FILLERS, stack.org, like, min(_BATCH, count - made), made, timeout=600
        )
    await database.execute("ALTER TABLE approval.draft_orders ENABLE TRIGGER USER")
    await settle(database)


async def waiting_exports(
    database: asyncpg.Connection, stack: BenchStack, like: UUID, count: int
) -> None:
    """`count` drafts that were pushed and whose exports no worker has taken."""
    ids = await drafts(database, stack, like, count)
    await database.execute(_WAITING, stack.org, ids, timeout=600)
    await settle(database)


async def settle(database: asyncpg.Connection) -> None:
    """Does now what PostgreSQL would do in the background of the measurement."""
    await database.execute("VACUUM (ANALYZE)", timeout=600)
    await database.execute("CHECKPOINT", timeout=600)


def client(stack: BenchStack) -> httpx.AsyncClient:
    """The gateway as an administrator of the benchmark's org reaches it."""
    return httpx.AsyncClient(
        base_url=f"http://{HOST}:{stack.ports.gateway}",
        headers={"Authorization": f"Bearer {stack.token()}"},
        timeout=60,
    )
