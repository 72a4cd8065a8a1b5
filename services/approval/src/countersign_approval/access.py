"""Which roles may call what; the comments of the RPCs in the protos say the same."""

from collections.abc import Mapping

from countersign_core.roles import ADMINS, OPERATORS, READERS, SUBMITTERS, Role

SERVICE = "countersign.approval.v1.ApprovalService"

ACCESS: Mapping[str, frozenset[Role]] = {
    f"/{SERVICE}/SubmitDraft": SUBMITTERS,
    f"/{SERVICE}/GetDraft": READERS,
    f"/{SERVICE}/GetDraftContent": READERS,
    f"/{SERVICE}/ListDrafts": READERS,
    f"/{SERVICE}/CountDrafts": READERS,
    f"/{SERVICE}/EditDraft": OPERATORS,
    f"/{SERVICE}/EditDraftLine": OPERATORS,
    f"/{SERVICE}/ValidateDraft": OPERATORS,
    f"/{SERVICE}/ApproveDraft": OPERATORS,
    f"/{SERVICE}/BatchApproveDrafts": OPERATORS,
    f"/{SERVICE}/RevokeApproval": OPERATORS,
    f"/{SERVICE}/RejectDraft": OPERATORS,
    f"/{SERVICE}/WatchDrafts": READERS,
    f"/{SERVICE}/GetApprovalPolicy": READERS,
    f"/{SERVICE}/SetApprovalPolicy": ADMINS,
}
