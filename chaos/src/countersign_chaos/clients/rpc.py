"""Clients over gRPC, at the services themselves."""

from collections.abc import Callable
from typing import Any

import grpc.aio
from google.protobuf.field_mask_pb2 import FieldMask

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.approval.v1 import draft_pb2 as drafts
from countersign.approval.v1.approval_service_pb2_grpc import ApprovalServiceStub
from countersign.push.v1 import export_pb2 as exports
from countersign.push.v1 import push_service_pb2 as pushes
from countersign.push.v1.push_service_pb2_grpc import PushServiceStub
from countersign_chaos.clients.act import REFUSALS, Act, Action, Reply, Verdict
from countersign_core.errors import CountersignError
from countersign_core.reasons import WIRE_STATUS
from countersign_platform.rpc.status import error_from_rpc

# Reconnect as soon as services do: the usual back-off would idle through most of a run.
_OPTIONS = (
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.initial_reconnect_backoff_ms", 200),
)


class RpcApi:
    """One channel to each service, over all of its replicas."""

    def __init__(self, targets: dict[str, str], authorize: Callable[[Act], str]) -> None:
        """`targets` of `approval` and `push`."""
        self._authorize = authorize
        self._channels = {
            name: grpc.aio.insecure_channel(target, options=_OPTIONS)
            for name, target in targets.items()
        }
        approval: Any = ApprovalServiceStub(self._channels["approval"])
        push: Any = PushServiceStub(self._channels["push"])
        self._methods: dict[Action, tuple[Any, Callable[[Act], Any]]] = {
            Action.SUBMIT: (approval.SubmitDraft, _submit),
            Action.EDIT: (approval.EditDraftLine, _edit),
            Action.APPROVE: (approval.ApproveDraft, _versioned(approvals.ApproveDraftRequest)),
            Action.REVOKE: (approval.RevokeApproval, _versioned(approvals.RevokeApprovalRequest)),
            Action.REJECT: (approval.RejectDraft, _reject),
            Action.PUSH: (push.PushDraft, _versioned(pushes.PushDraftRequest)),
            Action.RETRY: (push.RetryPush, _versioned(pushes.RetryPushRequest)),
            Action.CANCEL: (push.CancelExport, _of_export(pushes.CancelExportRequest)),
            Action.EXPEDITE: (push.ExpediteExport, _of_export(pushes.ExpediteExportRequest)),
            Action.RESOLVE: (push.ResolveExport, _resolve),
        }

    async def close(self) -> None:
        """End every connection."""
        for channel in self._channels.values():
            await channel.close()

    async def call(self, act: Act, patience: float) -> Reply:
        """Ask, and wait so many seconds for an answer."""
        method, message = self._methods[act.action]
        metadata = [
            ("authorization", f"Bearer {self._authorize(act)}"),
            ("x-request-id", act.request_id),
        ]
        if act.key is not None:
            metadata.append(("idempotency-key", act.key))
        try:
            answer = await method(message(act), timeout=patience, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return _refused(error_from_rpc(error))
        return _reply(act, answer)


def _submit(act: Act) -> approvals.SubmitDraftRequest:
    body = act.body
    content = drafts.DraftContent(
        customer=drafts.Customer(**body["customer"]),
        header=drafts.DraftHeader(**body["header"]),
        lines=[drafts.DraftLine(**line) for line in body["lines"]],
    )
    return approvals.SubmitDraftRequest(external_ref=body["external_ref"], content=content)


def _edit(act: Act) -> approvals.EditDraftLineRequest:
    return approvals.EditDraftLineRequest(
        draft_order_id=act.draft_id,
        line_no=1,
        expected_version=act.version,
        line=drafts.DraftLine(**act.body),
        update_mask=FieldMask(paths=sorted(act.body)),
    )


def _reject(act: Act) -> approvals.RejectDraftRequest:
    return approvals.RejectDraftRequest(
        draft_order_id=act.draft_id, reason=act.body["reason"], expected_version=act.version
    )


def _resolve(act: Act) -> pushes.ResolveExportRequest:
    return pushes.ResolveExportRequest(
        erp_export_id=act.export_id, delivered=act.body["delivered"], reason=act.body["reason"]
    )


def _versioned(kind: Any) -> Callable[[Act], Any]:
    return lambda act: kind(draft_order_id=act.draft_id, expected_version=act.version)


def _of_export(kind: Any) -> Callable[[Act], Any]:
    return lambda act: kind(erp_export_id=act.export_id, reason=act.body.get("reason", ""))


def _refused(error: CountersignError) -> Reply:
    status = WIRE_STATUS[error.reason].http
    verdict = Verdict.NO if status in REFUSALS else Verdict.UNKNOWN
    return Reply(verdict, error.reason, export_id=error.metadata.get("erp_export_id", ""))


def _reply(act: Act, answer: Any) -> Reply:
    if act.action in {Action.PUSH, Action.RETRY}:
        outcome = pushes.PushOutcome.Name(answer.outcome).removeprefix("PUSH_OUTCOME_")
        return Reply(
            Verdict.YES, export_id=answer.erp_export_id, status=outcome, replayed=answer.replayed
        )
    if act.action is Action.APPROVE:
        return Reply(
            Verdict.YES,
            draft_id=answer.draft_order_id,
            version=answer.version,
            status=_status(answer.status),
        )
    if act.action in {Action.CANCEL, Action.EXPEDITE, Action.RESOLVE}:
        status = exports.ExportStatus.Name(answer.export.status)
        return Reply(Verdict.YES, status=status.removeprefix("EXPORT_STATUS_"))
    draft = answer.draft
    return Reply(
        Verdict.YES,
        draft_id=draft.id,
        version=draft.version,
        status=_status(draft.status),
        content_sha256=draft.content_sha256,
        created=getattr(answer, "created", True),
    )


def _status(number: Any) -> str:
    return drafts.DraftStatus.Name(number).removeprefix("DRAFT_STATUS_")
