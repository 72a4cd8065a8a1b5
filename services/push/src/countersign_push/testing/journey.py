"""Operators, workers, the ERP, an administrator and the clock, each move held to the model.

Workers keep every lease they ever had. After each step the record must be what the model says,
and so must each answer.
"""

from collections.abc import Coroutine
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from countersign.push.v1 import push_service_pb2 as push_pb
from countersign.push.v1 import work_service_pb2 as pb
from countersign_core.errors import CountersignError
from countersign_core.roles import Role
from countersign_push.testing.export_model import LIVE, Export, Model

KEYS = st.sampled_from([None, "a", "b"])
OK = "OK"


class Journey(RuleBasedStateMachine):
    """Set `run`, `site`, `orders` and `queue` in a subclass."""

    run: Any
    site: Any
    orders: Any
    queue: Any

    @initialize(batching=st.booleans())
    def begin(self, *, batching: bool) -> None:
        """An approved draft of a new org with one connection; reports alone or in batches."""
        self.org = uuid4()
        self.model = Model()
        self.leases: list[tuple[Export, int]] = []
        self.connection = self.run(self.orders.connection(self.org))
        self.draft = self.run(self.orders.approved(self.org))
        self.worker = self.site.worker(batching=batching)
        self.operator = self.site.operator(self.org)
        self.admin = self.site.operator(self.org, Role.ADMIN)

    def answer(self, call: Coroutine[Any, Any, Any]) -> tuple[str, Any]:
        """OK and the reply, or the reason of the refusal."""
        try:
            return OK, self.run(call)
        except CountersignError as error:
            return str(error.reason), error

    # Operators

    @rule(operation=st.sampled_from(["push", "retry"]), key=KEYS)
    def push(self, operation: str, key: str | None) -> None:
        """With a key or without, at any moment."""
        expected = self.model.ask(operation, key)
        method, kind = {
            "push": ("PushDraft", push_pb.PushDraftRequest),
            "retry": ("RetryPush", push_pb.RetryPushRequest),
        }[operation]
        call = self.operator.with_key(key).call(method, kind(draft_order_id=str(self.draft)))
        outcome, reply = self.answer(call)
        if expected == "NEW":
            assert (outcome, reply.replayed) == (OK, False)
            self.model.begin(operation, key, reply.erp_export_id)
        elif expected == "REPLAY":
            assert key is not None
            export = self.model.keys[operation, key]
            assert (outcome, reply.replayed, reply.erp_export_id) == (OK, True, export.id)
        else:
            assert outcome == expected

    @precondition(lambda self: self.model.exports)
    @rule(delivered=st.booleans())
    def resolve(self, delivered: bool) -> None:
        """An administrator's word; only on what is held."""
        export = self.model.last
        under_way = export.leased and not export.ran_out
        allowed = export.held and (delivered or not under_way)
        request = push_pb.ResolveExportRequest(
            erp_export_id=export.id, delivered=delivered, reason="looked"
        )
        outcome, _ = self.answer(self.admin.call("ResolveExport", request))
        assert outcome == (OK if allowed else "EXPORT_WRONG_STATE")
        if allowed:
            export.fence += 1
            end = self.model.deliver if delivered else self.model.fail
            end(export, "EXPORT_RESOLVED")

    # The ERP and the clock

    @precondition(lambda self: self.model.exports)
    @rule(accepted=st.booleans())
    def ack(self, accepted: bool) -> None:
        """The ERP answers, for the first time or again."""
        export = self.model.last
        expected = self._take_answer(export, accepted=accepted)
        request = pb.ReportAckRequest(
            org_id=str(self.org),
            erp_connection_id=str(self.connection),
            file_name=self.run(self.queue.export(UUID(export.id)))["file_name"],
            accepted=accepted,
            erp_order_id="SO-1" if accepted else "",
            error=None if accepted else pb.AttemptError(code="NO_SKU", message="No such thing"),
        )
        outcome, _ = self.answer(self.worker.call("ReportAck", request))
        assert outcome == expected

    def _take_answer(self, export: Export, *, accepted: bool) -> str:
        pending = export.status == "PENDING"
        if pending and export.staged_fence is None:
            return "EXPORT_WRONG_STATE"
        if export.status == "ACKED" and accepted:
            return OK
        if export.status == "FAILED" and not accepted and export.answered:
            return OK
        if export.status in {"ACKED", "FAILED"}:
            return "EXPORT_WRONG_STATE"
        export.fence += pending
        if accepted and pending:
            self.model.deliver(export)
        if accepted:
            export.status = "ACKED"
            self.model.acts.append("EXPORT_ACKED")
        else:
            self.model.fail(export)
        export.was_sent = export.answered = True
        return OK

    @precondition(lambda self: self.model.exports and self.model.last.leased)
    @rule()
    def lease_runs_out(self) -> None:
        """Nobody is told."""
        self.run(self.queue.run_out(UUID(self.model.last.id)))
        self.model.last.ran_out = True

    @precondition(lambda self: self.model.exports and not self.model.last.due)
    @rule()
    def time_passes(self) -> None:
        """What was put off is due."""
        export = self.model.last
        if export.status == "PENDING":
            self.run(self.queue.make_due(UUID(export.id)))
        export.due = True

    # Workers

    @precondition(lambda self: self.model.exports)
    @rule()
    def claim(self) -> None:
        """Of what is due and free, and of nothing else."""
        export = self.model.last
        free = not export.leased or export.ran_out
        allowed = export.status == "PENDING" and export.due and free
        assignment = self.run(self.worker.claim(self.org, UUID(export.id)))
        assert (assignment is not None) == allowed
        if allowed:
            export.fence, export.attempt = export.fence + 1, export.attempt + 1
            export.leased, export.ran_out = True, False
            assert assignment.lease.fence == export.fence
            assert bool(assignment.staged_name) == (export.staged_fence is not None)
            self.leases.append((export, export.fence))

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def report_staged(self, data: st.DataObject) -> None:
        """A lease of any age."""
        export, fence, lease = self._any_lease(data)
        expected = "LEASE_LOST"
        if export.holds(fence) and export.staged_fence is None:
            export.staged_fence, expected = fence, OK
        elif export.status == "PENDING" and export.staged_fence == fence:
            expected = OK
        elif export.holds(fence):
            expected = "EXPORT_WRONG_STATE"
        assert self.answer(self.worker.staged(lease))[0] == expected

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def report_sent(self, data: st.DataObject) -> None:
        """A lease of any age."""
        export, fence, lease = self._any_lease(data)
        expected = "LEASE_LOST"
        if export.holds(fence):
            self.model.deliver(export)
            expected = OK
        elif export.fence == fence and export.status in {"SENT", "ACKED"}:
            expected = OK
        assert self.answer(self.worker.sent(lease))[0] == expected

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), withdrawn=st.booleans())
    def report_failed(self, data: st.DataObject, withdrawn: bool) -> None:
        """A token that is still out must come back first."""
        export, fence, lease = self._any_lease(data)
        expected = "LEASE_LOST"
        if export.holds(fence) and (export.staged_fence is None or withdrawn):
            self.model.fail(export)
            expected = OK
        elif export.holds(fence):
            expected = "EXPORT_WRONG_STATE"
        elif export.fence == fence and export.status == "FAILED" and not export.was_sent:
            expected = OK
        assert self.answer(self.worker.failed(lease, withdrawn=withdrawn))[0] == expected

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), withdrawn=st.booleans())
    def report_deferred(self, data: st.DataObject, withdrawn: bool) -> None:
        """Taken back, it is staged and held no more."""
        export, fence, lease = self._any_lease(data)
        expected = OK if export.was_put_off_so(fence, "TIMEOUT") else "LEASE_LOST"
        if export.holds(fence):
            export.put_off("TIMEOUT")
            if withdrawn:
                export.staged_fence, export.held = None, False
            expected = OK
        assert self.answer(self.worker.deferred(lease, withdrawn=withdrawn))[0] == expected

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def report_held(self, data: st.DataObject) -> None:
        """Only what is staged can be held."""
        export, fence, lease = self._any_lease(data)
        expected = "LEASE_LOST"
        if export.holds(fence) and export.staged_fence is None:
            expected = "EXPORT_WRONG_STATE"
        elif export.holds(fence):
            export.put_off("UNREACHABLE")
            export.held, expected = True, OK
        elif export.held and export.was_put_off_so(fence, "UNREACHABLE"):
            expected = OK
        assert self.answer(self.worker.held(lease))[0] == expected

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        """As if the claim had not been."""
        export, fence, lease = self._any_lease(data)
        pending = export.status == "PENDING" and export.fence == fence
        if export.holds(fence):
            export.leased, export.due = False, True
            export.attempt -= 1
        expected = OK if pending and not export.leased else "LEASE_LOST"
        assert self.answer(self.worker.release(lease))[0] == expected

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        """Also of a lease that ran out, as long as nobody claimed."""
        export, fence, lease = self._any_lease(data)
        expected = OK if export.holds(fence) else "LEASE_LOST"
        if export.holds(fence):
            export.ran_out = False
        assert self.answer(self.worker.renew(lease))[0] == expected

    def _any_lease(self, data: st.DataObject) -> tuple[Export, int, pb.Lease]:
        export, fence = data.draw(st.sampled_from(self.leases))
        return export, fence, pb.Lease(org_id=str(self.org), export_id=export.id, fence=fence)

    # What must be true after every step

    @invariant()
    def the_record_is_what_the_model_says(self) -> None:
        """Draft, exports, and every act once; at most one export lives."""
        model = getattr(self, "model", None)
        if model is None:
            return
        draft = self.run(self.orders.draft(self.org, self.draft))
        assert draft["status"] == model.draft
        rows = self.run(self.orders.exports(self.org, self.draft))
        assert [_seen(row) for row in rows] == [_told(export) for export in model.exports]
        assert sum(row["status"] in LIVE for row in rows) <= 1
        acts = [act.action for act in self.run(self.queue.acts(self.org))]
        assert acts == model.acts


def _seen(row: Any) -> tuple[Any, ...]:
    return (
        str(row["id"]),
        row["status"],
        row["fence"],
        row["attempt"],
        row["leased_until"] is not None,
        row["staged_fence"],
        row["outcome_unknown_since"] is not None,
    )


def _told(export: Export) -> tuple[Any, ...]:
    return (
        export.id,
        export.status,
        export.fence,
        export.attempt,
        export.leased,
        export.staged_fence,
        export.held,
    )
