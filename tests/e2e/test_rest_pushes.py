"""Push, retry and idempotency over REST: every row of the table, success and each refusal."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from problems import assert_problem, fields
from system import System
from tenant import Tenant

pytestmark = pytest.mark.e2e


def block(dropzone: Path) -> None:
    """Make every delivery fail: a file stands where the folder should be."""
    dropzone.rename(dropzone.with_suffix(".away"))
    dropzone.write_text("")


def unblock(dropzone: Path) -> None:
    dropzone.unlink()
    dropzone.with_suffix(".away").rename(dropzone)


async def failed_draft(tenant: Tenant) -> str:
    """A draft in ERROR, with the dropzone mended again."""
    block(tenant.dropzone)
    try:
        draft = await tenant.approved()
        await tenant.push(draft["id"])
        await tenant.wait_status(draft["id"], "ERROR")
    finally:
        unblock(tenant.dropzone)
    return str(draft["id"])


async def test_push_answers_200_with_the_export(tenant: Tenant) -> None:
    """The reply of the table, and then the file."""
    draft = await tenant.approved()
    answer = await tenant.push(draft["id"])
    assert answer.status_code == 200
    assert answer.json() == {"erp_export_id": answer.json()["erp_export_id"], "status": "PUSHING"}
    UUID(answer.json()["erp_export_id"])
    assert "idempotent-replayed" not in answer.headers
    await tenant.wait_status(draft["id"], "PUSHED")
    [document] = tenant.documents()
    assert document["meta"]["export_id"] == answer.json()["erp_export_id"]


async def test_push_is_refused_unless_approved(tenant: Tenant) -> None:
    """With the sentence of the table."""
    draft = await tenant.submit()
    detail = "Draft must be APPROVED to push (current: READY)"
    answer = await tenant.push(draft["id"])
    assert_problem(answer, 409, "WRONG_STATE", detail, current="READY", allowed=["APPROVED"])


async def test_push_of_a_pushed_draft_names_its_export(tenant: Tenant) -> None:
    """While it is under way and when it is done."""
    draft = await tenant.approved()
    export = (await tenant.push(draft["id"])).json()["erp_export_id"]
    detail = "Export already in progress or completed"
    answer = await tenant.push(draft["id"])
    assert_problem(answer, 409, "EXPORT_EXISTS", detail, erp_export_id=export)
    await tenant.wait_status(draft["id"], "PUSHED")
    answer = await tenant.push(draft["id"])
    assert_problem(answer, 409, "EXPORT_EXISTS", detail, erp_export_id=export)


async def test_push_without_an_active_connection_is_400(system: System) -> None:
    """Nothing happens to the draft."""
    async with system.tenant(connected=False) as tenant:
        draft = await tenant.approved()
        answer = await tenant.push(draft["id"])
        assert_problem(answer, 400, "NO_ACTIVE_CONNECTION", "No active ERP connection")
        assert (await tenant.draft(draft["id"]))["status"] == "APPROVED"


async def test_push_of_an_old_version_is_412(tenant: Tenant) -> None:
    """If-Match goes with push as well."""
    draft = await tenant.approved()
    answer = await tenant.push(draft["id"], **{"If-Match": '"1"'})
    assert_problem(answer, 412, "VERSION_MISMATCH")
    assert (await tenant.push(draft["id"], **{"If-Match": '"2"'})).status_code == 200


async def test_the_same_key_replays_until_and_after_the_end(tenant: Tenant) -> None:
    """202 in_progress while PENDING, then 200 with the export's state; always the same id."""
    block(tenant.dropzone)
    draft = await tenant.approved()
    key = {"Idempotency-Key": str(uuid4())}
    first = await tenant.push(draft["id"], **key)
    export = first.json()["erp_export_id"]
    await tenant.wait_status(draft["id"], "ERROR")
    unblock(tenant.dropzone)
    again = await tenant.push(draft["id"], **key)
    assert again.status_code == 200
    assert again.json() == {"erp_export_id": export, "status": "FAILED"}
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_replay_while_pending_answers_202(start_system: Any) -> None:
    """No worker runs, so the export stays PENDING."""
    system = await start_system(workers=0)
    async with system.tenant() as tenant:
        draft = await tenant.approved()
        key = {"Idempotency-Key": '"quoted-key"'}
        export = (await tenant.push(draft["id"], **key)).json()["erp_export_id"]
        bare = {"Idempotency-Key": "quoted-key"}
        again = await tenant.push(draft["id"], **bare)
        assert again.status_code == 202
        assert again.json() == {"erp_export_id": export, "status": "in_progress"}
        assert again.headers["idempotent-replayed"] == "true"


async def test_a_replay_after_delivery_answers_sent(tenant: Tenant) -> None:
    """200, SENT, marked as a replay; one file."""
    draft = await tenant.approved()
    key = {"Idempotency-Key": "k"}
    export = (await tenant.push(draft["id"], **key)).json()["erp_export_id"]
    await tenant.wait_status(draft["id"], "PUSHED")
    again = await tenant.push(draft["id"], **key)
    assert (again.status_code, again.json()) == (200, {"erp_export_id": export, "status": "SENT"})
    assert len(tenant.files()) == 1


async def test_a_key_with_another_request_is_422(tenant: Tenant) -> None:
    """The key stands for what was asked, not for the draft alone."""
    [connection] = (await tenant.http.get("/erp-connections")).json()["connections"]
    draft = await tenant.approved()
    key = {"Idempotency-Key": "one"}
    assert (await tenant.push(draft["id"], **key)).status_code == 200
    answer = await tenant.http.post(
        f"/draft-orders/{draft['id']}/push",
        json={"erp_connection_id": connection["id"]},
        headers=key,
    )
    assert_problem(answer, 422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256, '"open'])
async def test_a_malformed_key_is_400_and_pushes_nothing(tenant: Tenant, key: str) -> None:
    """1 to 255 visible ASCII characters, bare or quoted."""
    draft = await tenant.approved()
    answer = await tenant.http.post(
        f"/draft-orders/{draft['id']}/push",
        headers=[("Idempotency-Key", key.encode("utf-8"))],  # type: ignore[list-item]
    )
    assert_problem(answer, 400, "IDEMPOTENCY_KEY_INVALID")
    assert (await tenant.draft(draft["id"]))["status"] == "APPROVED"


async def test_two_keys_are_400(tenant: Tenant) -> None:
    """Which one should count?"""
    draft = await tenant.approved()
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = await tenant.http.post(f"/draft-orders/{draft['id']}/push", headers=headers)
    assert_problem(answer, 400, "IDEMPOTENCY_KEY_INVALID")


async def test_a_refused_request_burns_no_key(tenant: Tenant) -> None:
    """The same key works once the request is right."""
    draft = await tenant.submit()
    key = {"Idempotency-Key": "patient"}
    assert_problem(await tenant.push(draft["id"], **key), 409, "WRONG_STATE")
    bad = await tenant.http.post(
        f"/draft-orders/{draft['id']}/push", json={"erp_connection_id": "no uuid"}, headers=key
    )
    assert fields(assert_problem(bad, 400, "VALIDATION_FAILED")) == {"erp_connection_id"}
    await tenant.http.post(f"/draft-orders/{draft['id']}/approve")
    answer = await tenant.push(draft["id"], **key)
    assert answer.status_code == 200
    assert "idempotent-replayed" not in answer.headers


async def test_keys_of_two_tenants_and_two_drafts_do_not_meet(
    system: System, tenant: Tenant
) -> None:
    """A key is scoped to org, draft and operation."""
    key = {"Idempotency-Key": "same"}
    one, two = await tenant.approved(), await tenant.approved()
    exports = {
        (await tenant.push(each["id"], **key)).json()["erp_export_id"] for each in (one, two)
    }
    async with system.tenant() as other:
        draft = await other.approved()
        exports.add((await other.push(draft["id"], **key)).json()["erp_export_id"])
    assert len(exports) == 3


async def test_retry_makes_a_new_export_that_names_the_old_one(tenant: Tenant) -> None:
    """ERROR → PUSHING → PUSHED, the reason on record."""
    draft_id = await failed_draft(tenant)
    [failed] = (await tenant.draft(draft_id))["exports"]
    assert failed["status"] == "FAILED"
    assert failed["error"]["code"]
    path = f"/draft-orders/{draft_id}/retry-push"
    answer = await tenant.http.post(path, json={"reason": "folder mended"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["erp_export_id"] != failed["id"]
    await tenant.wait_status(draft_id, "PUSHED")
    [document] = tenant.documents()
    assert document["meta"]["retry_of"] == failed["id"]


async def test_retry_with_one_key_is_one_retry(tenant: Tenant) -> None:
    """The rules of push hold for retry."""
    draft_id = await failed_draft(tenant)
    path, key = f"/draft-orders/{draft_id}/retry-push", {"Idempotency-Key": "r"}
    first = await tenant.http.post(path, headers=key)
    again = await tenant.http.post(path, headers=key)
    assert again.status_code in {200, 202}
    assert again.json()["erp_export_id"] == first.json()["erp_export_id"]
    assert again.headers["idempotent-replayed"] == "true"
    answer = await tenant.http.post(path, json={"reason": "other"}, headers=key)
    assert_problem(answer, 422, "IDEMPOTENCY_KEY_REUSED")


async def test_retry_is_refused_unless_it_failed(tenant: Tenant) -> None:
    """PUSHED: it succeeded. Anything else: not in ERROR."""
    draft = await tenant.approved()
    path = f"/draft-orders/{draft['id']}/retry-push"
    answer = await tenant.http.post(path)
    assert_problem(answer, 409, "WRONG_STATE", current="APPROVED", allowed=["ERROR"])
    await tenant.push(draft["id"])
    await tenant.wait_status(draft["id"], "PUSHED")
    answer = await tenant.http.post(path)
    assert_problem(answer, 409, "EXPORT_ALREADY_SUCCEEDED", "Export already succeeded")


async def test_retry_of_a_draft_under_way_is_409(start_system: Any) -> None:
    """No worker runs: PUSHING."""
    system = await start_system(workers=0)
    async with system.tenant() as tenant:
        draft = await tenant.approved()
        export = (await tenant.push(draft["id"])).json()["erp_export_id"]
        answer = await tenant.http.post(f"/draft-orders/{draft['id']}/retry-push")
        assert_problem(answer, 409, "EXPORT_EXISTS", erp_export_id=export)
        for answer in (
            await tenant.http.patch(
                f"/draft-orders/{draft['id']}", json={"header": {"notes": "x"}}
            ),
            await tenant.http.delete(f"/draft-orders/{draft['id']}/approval"),
        ):
            assert_problem(answer, 409, "WRONG_STATE", current="PUSHING")


async def test_a_failed_draft_can_be_edited_and_pushed_again(tenant: Tenant) -> None:
    """ERROR → NEEDS_REVIEW → READY → APPROVED → PUSHED."""
    draft_id = await failed_draft(tenant)
    path = f"/draft-orders/{draft_id}"
    answer = await tenant.http.patch(path, json={"header": {"notes": "mended"}})
    assert answer.json()["status"] == "NEEDS_REVIEW"
    await tenant.http.post(f"{path}/validate")
    await tenant.http.post(f"{path}/approve")
    assert (await tenant.push(draft_id)).status_code == 200
    await tenant.wait_status(draft_id, "PUSHED")
    [document] = tenant.documents()
    assert document["header"]["notes"] == "mended"


async def test_batch_push_has_a_result_per_draft(tenant: Tenant) -> None:
    """Mixed eligibility, in the order asked; a key covers each draft."""
    approved, ready = await tenant.approved(), await tenant.submit()
    ids = [approved["id"], ready["id"], str(uuid4())]
    body = {"items": [{"draft_order_id": each} for each in ids]}
    key = {"Idempotency-Key": "batch"}
    first = await tenant.http.post("/draft-orders/batch-push", json=body, headers=key)
    assert first.status_code == 200
    results = first.json()["results"]
    assert [result["draft_order_id"] for result in results] == ids
    assert results[0]["status"] == "PUSHING"
    assert [result["problem"]["code"] for result in results[1:]] == [
        "WRONG_STATE",
        "DRAFT_NOT_FOUND",
    ]
    again = (await tenant.http.post("/draft-orders/batch-push", json=body, headers=key)).json()[
        "results"
    ]
    assert again[0]["erp_export_id"] == results[0]["erp_export_id"]
    assert again[0]["replayed"] is True
    await tenant.wait_status(approved["id"], "PUSHED")
    assert len(tenant.files()) == 1


async def test_preview_is_the_document_that_a_push_delivers(tenant: Tenant) -> None:
    """Equal but for the export's id, which there is none of yet."""
    draft = await tenant.approved()
    answer = await tenant.http.get(f"/draft-orders/{draft['id']}/export-preview")
    assert answer.status_code == 200
    preview = answer.json()
    assert preview["meta"]["export_id"] is None
    export = (await tenant.push(draft["id"])).json()["erp_export_id"]
    await tenant.wait_status(draft["id"], "PUSHED")
    [document] = tenant.documents()
    preview["meta"]["export_id"] = export
    assert document == preview


async def test_preview_needs_an_approved_content(tenant: Tenant) -> None:
    """409 before the approval."""
    draft = await tenant.submit()
    answer = await tenant.http.get(f"/draft-orders/{draft['id']}/export-preview")
    assert_problem(answer, 409, "WRONG_STATE", current="READY")


async def test_exports_are_listed_and_read(tenant: Tenant) -> None:
    """One by id, many by filter; another tenant's is a 404."""
    draft = await tenant.approved()
    export = (await tenant.push(draft["id"])).json()["erp_export_id"]
    await tenant.wait_status(draft["id"], "PUSHED")
    one = (await tenant.http.get(f"/erp-exports/{export}")).json()
    assert (one["status"], one["evidence"], one["attempt"]) == ("SENT", "RENAMED", 1)
    assert one["file_name"] == tenant.files()[0].name
    assert [row["id"] for row in await tenant.pages("/erp-exports", "exports", status="SENT")] == [
        export
    ]
    assert await tenant.pages("/erp-exports", "exports", status="FAILED") == []
    assert_problem(await tenant.http.get(f"/erp-exports/{uuid4()}"), 404, "EXPORT_NOT_FOUND")
    answer = await tenant.http.post(
        f"/erp-exports/{export}/resolve", json={"delivered": True, "reason": "seen"}
    )
    assert_problem(answer, 409, "EXPORT_WRONG_STATE")


async def test_four_eyes_above_a_value(tenant: Tenant) -> None:
    """The approver is not the last editor, the pusher is not the approver."""
    await tenant.http.put("/approval-policy", json={"four_eyes_above": "5"})
    other = tenant.client("OPERATOR", subject="user-2")
    draft = await tenant.submit()  # by user-1, worth 8.30
    path = f"/draft-orders/{draft['id']}"
    problem = assert_problem(await tenant.http.post(f"{path}/approve"), 403, "FOUR_EYES_REQUIRED")
    assert problem["detail"]
    assert (await other.post(f"{path}/approve")).status_code == 200
    assert_problem(await other.post(f"{path}/push"), 403, "FOUR_EYES_REQUIRED")
    assert (await tenant.push(draft["id"])).status_code == 200
    small = await tenant.submit(
        lines=[{"line_no": 1, "internal_sku": "A", "qty": "1", "uom": "ST", "unit_price": "1"}]
    )
    assert (await tenant.http.post(f"/draft-orders/{small['id']}/approve")).status_code == 200
