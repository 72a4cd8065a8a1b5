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


async def settle(database: asyncpg.Connection) -> None:
    """Does now what PostgreSQL would do in the background of the measurement."""
    await database.execute("VACUUM (ANALYZE)")
    await database.execute("CHECKPOINT")


def client(stack: BenchStack) -> httpx.AsyncClient:
    """The gateway as an administrator of the benchmark's org reaches it."""
    return httpx.AsyncClient(
        base_url=f"http://{HOST}:{stack.ports.gateway}",
        headers={"Authorization": f"Bearer {stack.token()}"},
        timeout=60,
    )
