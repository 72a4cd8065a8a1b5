"""Draft orders over REST: every row of the table, success and each refusal."""

from typing import Any
from uuid import uuid4

import pytest
from problems import assert_problem, fields
from system import System
from tenant import Tenant, order

pytestmark = pytest.mark.e2e

NOWHERE = "00000000-0000-4000-8000-00000000dead"


async def test_submit_answers_201_with_a_ready_draft(tenant: Tenant) -> None:
    """READY when nothing blocks it."""
    answer = await tenant.http.post("/draft-orders", json=order())
    assert answer.status_code == 201
    draft = answer.json()
    assert draft["status"] == "READY"
    assert draft["blocking_reasons"] == []
    assert draft["version"] == 1
    assert answer.headers["location"] == f"/draft-orders/{draft['id']}"
    assert answer.headers["etag"] == '"1"'


async def test_submit_answers_201_with_the_reasons_why_it_needs_review(tenant: Tenant) -> None:
    """Every reason, with the line it is about."""
    lines = [{"line_no": 1, "qty": "-1", "unit_price": "0.0"}]
    body = order(customer={"name": "Nobody"}, header={"currency": "XXQ"}, lines=lines)
    answer = await tenant.http.post("/draft-orders", json=body)
    assert answer.status_code == 201
    assert answer.json()["status"] == "NEEDS_REVIEW"
    reasons = {(each["code"], each["line_no"]) for each in answer.json()["blocking_reasons"]}
    assert {code for code, _ in reasons} == {
        "CUSTOMER_MISSING",
        "CURRENCY_UNKNOWN",
        "LINE_QTY_NOT_POSITIVE",
        "LINE_UOM_MISSING",
        "LINE_SKU_MISSING",
    }
    assert ("LINE_QTY_NOT_POSITIVE", 1) in reasons


async def test_submit_of_a_known_reference_answers_200_with_the_same_draft(tenant: Tenant) -> None:
    """external_ref is the submit's idempotency key."""
    body = order()
    first = await tenant.http.post("/draft-orders", json=body)
    again = await tenant.http.post("/draft-orders", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    await tenant.wait_audit(1, action="DRAFT_SUBMITTED")


async def test_submit_names_every_malformed_field(tenant: Tenant) -> None:
    """All at once, with the path in the body; nothing is stored."""
    body = order(
        external_ref="",
        header={"currency": "pounds", "order_date": "02.11.2026"},
        lines=[{"line_no": 1, "qty": "many"}, {"line_no": 2, "unit_price": "1,50"}],
    )
    answer = await tenant.http.post("/draft-orders", json=body)
    problem = assert_problem(answer, 400, "VALIDATION_FAILED")
    assert fields(problem) == {
        "external_ref",
        "header.currency",
        "header.order_date",
        "lines[0].qty",
        "lines[1].unit_price",
    }
    assert await tenant.pages("/draft-orders", "drafts") == []


async def test_submit_refuses_what_is_no_json_or_has_unknown_members(tenant: Tenant) -> None:
    """A typo in a member's name must not lose data silently."""
    answer = await tenant.http.post(
        "/draft-orders", content=b"{", headers={"content-type": "application/json"}
    )
    assert_problem(answer, 400, "VALIDATION_FAILED")
    answer = await tenant.http.post("/draft-orders", json=order(custommer={}))
    assert "custommer" in fields(assert_problem(answer, 400, "VALIDATION_FAILED"))


async def test_submit_keeps_the_digits_of_json_numbers(tenant: Tenant) -> None:
    """1.10 as a number is 1.10, not 1.1 and not 1.1000000000000001."""
    content = (
        '{"external_ref": "digits", "customer": {"erp_customer_number": "1"}, "header": {"currency": "GBP"},'
        ' "lines": [{"line_no": 1, "internal_sku": "A", "qty": 3, "uom": "ST", "unit_price": 1.10}]}'
    )
    answer = await tenant.http.post(
        "/draft-orders", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 201, answer.text
    [line] = answer.json()["lines"]
    assert (line["qty"], line["unit_price"]) == ("3", "1.10")
    assert answer.json()["total_value"] == "3.30"


async def test_list_pages_by_cursor_without_a_gap_or_a_double(tenant: Tenant) -> None:
    """Newest first, stable while drafts come in."""
    made = [(await tenant.submit())["id"] for _ in range(7)]
    first = (await tenant.http.get("/draft-orders", params={"page_size": 3})).json()
    await tenant.submit()
    seen = [row["id"] for row in first["drafts"]]
    token = first["next_page_token"]
    while token:
        page = (
            await tenant.http.get("/draft-orders", params={"page_size": 3, "page_token": token})
        ).json()
        seen += [row["id"] for row in page["drafts"]]
        token = page["next_page_token"]
    assert seen == list(reversed(made))


async def test_list_filters(tenant: Tenant) -> None:
    """By status, customer, text and dates; filters combine."""
    ready = await tenant.submit()
    blocked = await tenant.submit(
        customer={"erp_customer_number": "777", "name": "Müller KG"},
        header={"external_order_number": "MU-1", "order_date": "2025-01-01"},
    )

    async def found(**params: Any) -> list[str]:
        return [row["id"] for row in await tenant.pages("/draft-orders", "drafts", **params)]

    assert await found(status="READY") == [ready["id"]]
    assert await found(status=["READY", "NEEDS_REVIEW"]) == [blocked["id"], ready["id"]]
    assert await found(customer="777") == [blocked["id"]]
    assert await found(customer="müller") == [blocked["id"]]
    assert await found(q="MU-") == [blocked["id"]]
    assert await found(order_date_to="2025-12-31") == [blocked["id"]]
    assert await found(created_from=ready["created_at"], status="READY") == [ready["id"]]
    assert await found(status="READY", customer="777") == []


async def test_list_refuses_bad_filters_and_foreign_cursors(tenant: Tenant) -> None:
    """A cursor belongs to its filters."""
    for _ in range(2):
        await tenant.submit()
    answer = await tenant.http.get("/draft-orders", params={"status": "DONE"})
    assert_problem(answer, 400, "VALIDATION_FAILED")
    page = (await tenant.http.get("/draft-orders", params={"page_size": 1})).json()
    params = {"page_size": 1, "status": "READY", "page_token": page["next_page_token"]}
    assert_problem(await tenant.http.get("/draft-orders", params=params), 400, "PAGE_TOKEN_INVALID")


async def test_detail_has_header_lines_exports_and_trail(tenant: Tenant) -> None:
    """One call shows the whole story."""
    draft = await tenant.approved()
    await tenant.push(draft["id"])
    await tenant.wait_status(draft["id"], "PUSHED")
    await tenant.wait_audit(4, draft_order_id=draft["id"])
    detail = await tenant.draft(draft["id"])
    assert detail["header"]["currency"] == "GBP"
    assert [line["internal_sku"] for line in detail["lines"]] == ["23256"]
    [export] = detail["exports"]
    assert export["status"] == "SENT"
    assert {event["action"] for event in detail["audit_trail"]} == {
        "DRAFT_SUBMITTED",
        "DRAFT_APPROVED",
        "DRAFT_PUSHED",
        "DRAFT_PUSH_SUCCEEDED",
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("PATCH", "/lines/1"),
        ("POST", "/validate"),
        ("POST", "/reject"),
        ("POST", "/approve"),
        ("DELETE", "/approval"),
        ("POST", "/push"),
        ("POST", "/retry-push"),
        ("GET", "/export-preview"),
    ],
)
async def test_a_draft_of_nobody_or_of_another_tenant_is_404(
    system: System, tenant: Tenant, method: str, path: str
) -> None:
    """Whether it exists elsewhere cannot be told."""
    bodies: dict[str, Any] = {
        "/reject": {"reason": "no"},
        "": {"header": {"notes": "x"}},
        "/lines/1": {"qty": "2"},
    }
    async with system.tenant() as other:
        foreign = await other.submit()
        for draft_id in (NOWHERE, foreign["id"]):
            body = bodies.get(path) if method != "GET" else None
            answer = await tenant.http.request(method, f"/draft-orders/{draft_id}{path}", json=body)
            assert_problem(answer, 404, "DRAFT_NOT_FOUND", "Draft not found")


async def test_edit_answers_200_with_a_new_version_and_checks_again(tenant: Tenant) -> None:
    """What blocked it is mended: READY."""
    draft = await tenant.submit(customer={"name": "Nobody"})
    assert draft["status"] == "NEEDS_REVIEW"
    answer = await tenant.http.patch(
        f"/draft-orders/{draft['id']}",
        json={"customer": {"erp_customer_number": "42"}, "header": {"notes": None}},
        headers={"If-Match": '"1"'},
    )
    assert answer.status_code == 200, answer.text
    edited = answer.json()
    assert (edited["status"], edited["version"]) == ("READY", 2)
    assert edited["customer"]["name"] == "Nobody"
    assert answer.headers["etag"] == '"2"'


async def test_edit_of_a_line_changes_that_line_only(tenant: Tenant) -> None:
    """And a line that is not there is a 404."""
    draft = await tenant.submit()
    path = f"/draft-orders/{draft['id']}/lines"
    answer = await tenant.http.patch(f"{path}/1", json={"qty": "5"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["lines"][0] == draft["lines"][0] | {"qty": "5"}
    assert_problem(await tenant.http.patch(f"{path}/9", json={"qty": "5"}), 404, "LINE_NOT_FOUND")
    answer = await tenant.http.patch(f"{path}/1", json={"qty": "lots"})
    assert fields(assert_problem(answer, 400, "VALIDATION_FAILED")) == {"qty"}


async def test_edit_of_an_approved_draft_takes_the_approval_back(tenant: Tenant) -> None:
    """NEEDS_REVIEW until it is validated again; the trail says so."""
    draft = await tenant.approved()
    answer = await tenant.http.patch(
        f"/draft-orders/{draft['id']}", json={"header": {"notes": "x"}}
    )
    assert answer.json()["status"] == "NEEDS_REVIEW"
    assert answer.json()["approval"] is None
    await tenant.wait_audit(1, draft_order_id=draft["id"], action="DRAFT_APPROVAL_REVOKED")
    answer = await tenant.http.post(f"/draft-orders/{draft['id']}/validate")
    assert (answer.status_code, answer.json()["status"]) == (200, "READY")


async def test_a_pushed_draft_cannot_be_changed(tenant: Tenant) -> None:
    """409 with the current and the allowed states, for every act of the table."""
    draft = await tenant.approved()
    await tenant.push(draft["id"])
    await tenant.wait_status(draft["id"], "PUSHED")
    path = f"/draft-orders/{draft['id']}"
    for answer in (
        await tenant.http.patch(path, json={"header": {"notes": "x"}}),
        await tenant.http.patch(f"{path}/lines/1", json={"qty": "1"}),
        await tenant.http.post(f"{path}/validate"),
        await tenant.http.post(f"{path}/reject", json={"reason": "late"}),
        await tenant.http.post(f"{path}/approve"),
        await tenant.http.delete(f"{path}/approval"),
    ):
        problem = assert_problem(answer, 409, "WRONG_STATE", current="PUSHED")
        assert "PUSHED" not in problem["allowed"]
        assert problem["allowed"]


async def test_a_change_of_an_old_version_is_412(tenant: Tenant) -> None:
    """Approve, edit, revoke, push: what changed since is left alone."""
    draft = await tenant.submit()
    path = f"/draft-orders/{draft['id']}"
    await tenant.http.patch(path, json={"header": {"notes": "newer"}})
    old = {"If-Match": '"1"'}
    members = {"expected_version": "1", "current_version": "2"}
    for answer in (
        await tenant.http.patch(path, json={"header": {"notes": "older"}}, headers=old),
        await tenant.http.patch(f"{path}/lines/1", json={"qty": "9"}, headers=old),
        await tenant.http.post(f"{path}/approve", headers=old),
        await tenant.http.post(f"{path}/reject", json={"reason": "no"}, headers=old),
    ):
        problem = assert_problem(answer, 412, "VERSION_MISMATCH")
        assert {name: str(problem[name]) for name in members} == members
    assert (await tenant.draft(draft["id"]))["header"]["notes"] == "newer"
    answer = await tenant.http.post(f"{path}/approve", headers={"If-Match": "seven"})
    assert_problem(answer, 400, "VALIDATION_FAILED")


async def test_approve_answers_who_when_and_which_version(tenant: Tenant) -> None:
    """The reply of the table, member by member."""
    draft = await tenant.submit()
    answer = await tenant.http.post(
        f"/draft-orders/{draft['id']}/approve", headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 200
    reply = answer.json()
    assert reply["id"] == draft["id"]
    assert reply["status"] == "APPROVED"
    assert reply["approved_by_user_id"] == "user-1"
    assert reply["version"] == 2
    assert reply["approved_at"].endswith("Z")


async def test_approve_is_refused_unless_ready(tenant: Tenant) -> None:
    """With the sentence of the table."""
    blocked = await tenant.submit(lines=[])
    answer = await tenant.http.post(f"/draft-orders/{blocked['id']}/approve")
    detail = "Draft must be READY to approve (current: NEEDS_REVIEW)"
    assert_problem(answer, 409, "WRONG_STATE", detail, current="NEEDS_REVIEW", allowed=["READY"])
    approved = await tenant.approved()
    answer = await tenant.http.post(f"/draft-orders/{approved['id']}/approve")
    assert_problem(answer, 409, "ALREADY_APPROVED", "Draft already approved")


async def test_revoke_takes_an_approval_back(tenant: Tenant) -> None:
    """And only where there is one."""
    draft = await tenant.approved()
    answer = await tenant.http.delete(f"/draft-orders/{draft['id']}/approval")
    assert (answer.status_code, answer.json()["status"]) == (200, "NEEDS_REVIEW")
    answer = await tenant.http.delete(f"/draft-orders/{draft['id']}/approval")
    assert_problem(
        answer, 409, "WRONG_STATE", "Draft must be APPROVED to revoke (current: NEEDS_REVIEW)"
    )


async def test_reject_needs_a_reason_and_is_final(tenant: Tenant) -> None:
    """The reason stays on the draft; after that nothing goes."""
    draft = await tenant.submit(lines=[])
    path = f"/draft-orders/{draft['id']}"
    assert_problem(
        await tenant.http.post(f"{path}/reject", json={"reason": ""}), 400, "VALIDATION_FAILED"
    )
    assert_problem(await tenant.http.post(f"{path}/reject", json={}), 400, "VALIDATION_FAILED")
    answer = await tenant.http.post(f"{path}/reject", json={"reason": "test order"})
    assert (answer.status_code, answer.json()["status"]) == (200, "REJECTED")
    assert answer.json()["rejection"]["reason"] == "test order"
    assert_problem(
        await tenant.http.post(f"{path}/reject", json={"reason": "x"}), 409, "WRONG_STATE"
    )
    assert_problem(await tenant.http.post(f"{path}/validate"), 409, "WRONG_STATE")


async def test_a_ready_draft_can_be_rejected(tenant: Tenant) -> None:
    """Nothing blocks it, and still the operator says no."""
    draft = await tenant.submit()
    answer = await tenant.http.post(f"/draft-orders/{draft['id']}/reject", json={"reason": "fraud"})
    assert (answer.status_code, answer.json()["status"]) == (200, "REJECTED")


async def test_batch_approve_has_a_result_per_draft(tenant: Tenant) -> None:
    """Mixed eligibility: each says what happened to it, in the order asked."""
    ready, blocked = await tenant.submit(), await tenant.submit(lines=[])
    approved = await tenant.approved()
    ids = [ready["id"], blocked["id"], approved["id"], NOWHERE]
    body = {"items": [{"draft_order_id": each} for each in ids]}
    answer = await tenant.http.post("/draft-orders/batch-approve", json=body)
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["draft_order_id"] for result in results] == ids
    assert results[0]["status"] == "APPROVED"
    codes = [result["problem"]["code"] for result in results[1:]]
    assert codes == ["WRONG_STATE", "ALREADY_APPROVED", "DRAFT_NOT_FOUND"]


async def test_batches_are_bounded(tenant: Tenant) -> None:
    """None, too many, or one twice: 400."""
    for operation in ("batch-approve", "batch-push"):
        path = f"/draft-orders/{operation}"
        assert_problem(await tenant.http.post(path, json={"items": []}), 400, "VALIDATION_FAILED")
        many = [{"draft_order_id": str(uuid4())} for _ in range(501)]
        assert_problem(await tenant.http.post(path, json={"items": many}), 400, "VALIDATION_FAILED")
        twice = [{"draft_order_id": NOWHERE}, {"draft_order_id": NOWHERE}]
        assert_problem(
            await tenant.http.post(path, json={"items": twice}), 400, "VALIDATION_FAILED"
        )
