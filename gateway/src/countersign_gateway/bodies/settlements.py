"""An administrator's word: on a held export, and on the approval policy."""

from uuid import UUID

from pydantic import Field, StrictBool

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_gateway.bodies.fields import Body, PolicyValueText


class ResolveBody(Body):
    """How a held export ended."""

    delivered: StrictBool
    """True: the ERP has the file (SENT). False: it has not (FAILED)."""
    reason: str = Field(min_length=1, max_length=2000)
    """How you know; kept in the audit trail."""


class ExpediteBody(Body):
    """Why a waiting export is tried now."""

    reason: str = Field("", max_length=2000)
    """Kept in the audit trail."""


class CancelBody(Body):
    """Why a waiting export is taken back."""

    reason: str = Field(min_length=1, max_length=2000)
    """Kept in the audit trail."""


class PolicyBody(Body):
    """The approval policy, whole."""

    four_eyes_above: PolicyValueText | None
    """Orders of more than this value need a second person; null switches that off."""


class LegalHoldBody(Body):
    """Whether the org's audit trail is held."""

    held: StrictBool
    """True: nothing of it is removed, whatever the retention. False: the hold ends."""
    reason: str = Field(min_length=1, max_length=2000)
    """Why; kept in the audit trail."""


def resolve_request(export_id: UUID, body: ResolveBody) -> pushes.ResolveExportRequest:
    """The message that settles an export."""
    return pushes.ResolveExportRequest(
        erp_export_id=str(export_id), delivered=body.delivered, reason=body.reason
    )


def policy_request(body: PolicyBody) -> approvals.SetApprovalPolicyRequest:
    """The message that replaces the policy."""
    return approvals.SetApprovalPolicyRequest(four_eyes_above=body.four_eyes_above or "")
