"""What the ERP receives, and how it can check it."""

import hashlib
import hmac
import time
from dataclasses import replace
from pathlib import Path

import pytest

from countersign_export_worker.connectors.http_signature import SIGNATURE_HEADER, signature
from countersign_export_worker.delivery_context import delivery_context
from countersign_export_worker.testing.erp_server import answering
from countersign_export_worker.testing.samples import EXPORT, connection_to, export_record
from countersign_export_worker.testing.work_twin import WorkTwin

DOCUMENT = '{"name": "Käse"}'.encode()
OLD, NEW = "the-old-secret-of-2025", "the-new-secret-of-2026"


def verifies(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As an ERP does it, written from the guide."""
    parts = [part.split("=", 1) for part in headers[SIGNATURE_HEADER.lower()].split(",")]
    moment = next(value for name, value in parts if name == "t")
    signed = f"{moment}.{headers['idempotency-key']}.".encode() + body
    wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    fresh = abs(time.time() - int(moment)) < 300
    return fresh and any(
        hmac.compare_digest(value, wanted) for name, value in parts if name == "v1"
    )


def test_the_signature_is_the_one_in_the_guide():
    """A known answer, so that no change of ours goes unnoticed by those who check it."""
    assert signature(["secret"], 1700000000, "key", b"{}") == (
        "t=1700000000,v1=803152497cf1c529bdca363077812b79f59c6a35b01d63a6ed042e9957de4f7f"
    )


async def test_the_document_arrives_as_it_is_under_the_exports_id(erp, drop_name):
    await erp.connector.send(drop_name, DOCUMENT)
    (order,) = erp.server.orders
    assert (order.path, order.body) == ("/orders", DOCUMENT)
    assert order.headers["content-type"] == "application/json"
    assert order.headers["idempotency-key"] == str(EXPORT)
    assert order.headers["x-countersign-file-name"] == drop_name.final
    assert int(order.headers["content-length"]) == len(DOCUMENT)


async def test_the_key_is_the_same_for_every_try_of_an_export(erp, drop_name):
    for _ in range(2):
        await erp.connector.send(drop_name, DOCUMENT)
    assert len({order.headers["idempotency-key"] for order in erp.server.orders}) == 1


@pytest.mark.parametrize(
    ("secrets", "good", "bad"),
    [
        ({"hmac_secret": NEW}, [NEW], [OLD]),
        ({"hmac_secret": NEW, "hmac_secret_previous": OLD}, [NEW, OLD], ["another"]),
    ],
    ids=["one secret", "two during a rotation"],
)
async def test_the_signature_verifies(erp, drop_name, secrets, good, bad):
    """Under each secret that is set, so that the ERP can change over whenever it likes."""
    await erp.open(secrets=secrets).send(drop_name, DOCUMENT)
    (order,) = erp.server.orders
    assert [verifies(secret, order.headers, order.body) for secret in good] == [True] * len(good)
    assert not any(verifies(secret, order.headers, order.body) for secret in bad)
    assert not verifies(good[0], order.headers, order.body + b" ")
    assert not verifies(good[0], order.headers | {"idempotency-key": "other"}, order.body)


async def test_no_secret_but_the_bearer_token_is_sent(erp, drop_name):
    connector = erp.open(secrets={"hmac_secret": NEW, "bearer_token": "abc.def"})
    await connector.send(drop_name, DOCUMENT)
    (order,) = erp.server.orders
    assert order.headers["authorization"] == "Bearer abc.def"
    assert NEW not in str(order)


async def test_fixed_headers_go_along(erp, drop_name):
    await erp.open(headers={"X-Tenant": "acme"}).send(drop_name, DOCUMENT)
    assert erp.server.orders[0].headers["x-tenant"] == "acme"


async def test_the_pushs_request_id_and_trace_go_along(erp, drop_name):
    """So that the ERP's log and ours can be read side by side."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    twin = WorkTwin()
    twin.add(replace(export_record(connection_to(Path("/unused"))), traceparent=trace))
    (assignment,) = await twin.claim_next(1, 0)
    with delivery_context(assignment):
        await erp.connector.send(drop_name, DOCUMENT)
    await erp.connector.send(drop_name, DOCUMENT)
    inside, outside = erp.server.orders
    assert inside.headers["x-request-id"] == assignment.request_id
    assert inside.headers["traceparent"].split("-")[1] == trace.split("-")[1]
    assert not {"x-request-id", "traceparent"} & outside.headers.keys()


async def test_no_cookie_of_the_erp_is_kept(erp, drop_name):
    erp.server.behave = answering(201, Set_Cookie="session=1")
    for _ in range(2):
        await erp.connector.send(drop_name, DOCUMENT)
    assert not any("cookie" in order.headers for order in erp.server.orders)
