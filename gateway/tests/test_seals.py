"""Checkpoints, tombstones, keys and legal holds over REST."""

from typing import Any

import httpx
import pytest

from countersign.audit.v1 import seal_service_pb2 as seals

CHECKPOINT = seals.Seal(
    kind=seals.SEAL_KIND_CHECKPOINT,
    org_id="5c0ffee0-0000-4000-8000-000000000001",
    number=1,
    previous="0" * 64,
    seq=12,
    count=12,
    chain_hash="0a" * 32,
    made_at={"seconds": 1772357400, "nanos": 5000},
    key_id="k",
    signature="0b" * 64,
)
TOMBSTONE = seals.Seal(
    kind=seals.SEAL_KIND_TOMBSTONE,
    org_id="5c0ffee0-0000-4000-8000-000000000001",
    number=2,
    previous="01" * 32,
    seq=7,
    count=7,
    chain_hash="07" * 32,
    made_at={"seconds": 1772409600},
    key_id="k",
    signature="0c" * 64,
    month="2025-02",
    from_seq=1,
    hash_before="0" * 64,
)


async def test_checkpoints_and_tombstones_come_as_the_lines_that_are_archived(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["ListCheckpoints"] = seals.ListCheckpointsResponse(
        seals=[CHECKPOINT, TOMBSTONE], next_page_token="next"
    )
    answer = await http.get("/audit-log/checkpoints", params={"page_size": 2, "page_token": "t"})
    assert backends.last.request == seals.ListCheckpointsRequest(page_size=2, page_token="t")
    assert answer.json() == {
        "seals": [
            {
                "type": "countersign-audit-checkpoint-v1",
                "org_id": CHECKPOINT.org_id,
                "number": 1,
                "previous": "0" * 64,
                "seq": 12,
                "count": 12,
                "head_hash": "0a" * 32,
                "made_at": "2026-03-01T09:30:00.000005Z",
                "key_id": "k",
                "signature": "0b" * 64,
            },
            {
                "type": "countersign-audit-tombstone-v1",
                "org_id": TOMBSTONE.org_id,
                "number": 2,
                "previous": "01" * 32,
                "month": "2025-02",
                "from_seq": 1,
                "to_seq": 7,
                "count": 7,
                "prev_hash": "0" * 64,
                "last_hash": "07" * 32,
                "removed_at": "2026-03-02T00:00:00Z",
                "key_id": "k",
                "signature": "0c" * 64,
            },
        ],
        "next_page_token": "next",
    }


async def test_keys_are_a_key_set(http: httpx.AsyncClient, backends: Any) -> None:
    key = seals.SealKey(key_id="thumbprint", x="AAAA")
    backends.answers["ListSealKeys"] = seals.ListSealKeysResponse(keys=[key])
    assert (await http.get("/audit-log/keys")).json() == {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": "EdDSA",
                "use": "sig",
                "kid": "thumbprint",
                "x": "AAAA",
            }
        ]
    }


async def test_a_hold_is_set_with_a_reason_and_read(http: httpx.AsyncClient, backends: Any) -> None:
    hold = seals.LegalHold(
        held=True, reason="Case 7", changed_by="ann", changed_at={"seconds": 1772357400}
    )
    backends.answers["SetLegalHold"] = seals.SetLegalHoldResponse(hold=hold)
    backends.answers["GetLegalHold"] = seals.GetLegalHoldResponse(hold=hold)
    body = {"held": True, "reason": "Case 7"}
    answer = await http.put("/audit-log/legal-hold", json=body)
    assert backends.last.request == seals.SetLegalHoldRequest(held=True, reason="Case 7")
    assert answer.json() == {**body, "changed_by": "ann", "changed_at": "2026-03-01T09:30:00Z"}
    assert (await http.get("/audit-log/legal-hold")).json() == answer.json()


async def test_what_was_never_held_says_so(http: httpx.AsyncClient, backends: Any) -> None:
    backends.answers["GetLegalHold"] = seals.GetLegalHoldResponse(hold=seals.LegalHold())
    expected = {"held": False, "reason": None, "changed_by": None, "changed_at": None}
    assert (await http.get("/audit-log/legal-hold")).json() == expected


@pytest.mark.parametrize(
    "body", [{}, {"held": True}, {"held": True, "reason": ""}, {"held": "yes", "reason": "x"}]
)
async def test_a_hold_without_a_reason_is_400(
    http: httpx.AsyncClient, backends: Any, body: Any
) -> None:
    assert (await http.put("/audit-log/legal-hold", json=body)).status_code == 400
    assert backends.received == []
