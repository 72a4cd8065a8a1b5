"""A claimed export becomes an assignment, or is ended or put off when it cannot be one."""

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_platform.off_loop import off_loop
from countersign_push.assignment import Assignment, ConnectionAccess, open_secrets
from countersign_push.claimed_exports import ClaimedExports
from countersign_push.commands.put_off import ReportDeferred, ReportHeld
from countersign_push.commands.report_failed import ReportFailed
from countersign_push.export_document import build_document
from countersign_push.export_record import ExportRecord
from countersign_push.lease import AttemptError, Lease, LeaseLost
from countersign_push.lease_terms import LeaseTerms
from countersign_push.secret_box import KeyRing, Owner, SecretsUnreadable
from countersign_push.store.work import Claimed, ConnectionRow


class Assign:
    """Builds the document and opens the secrets."""

    def __init__(
        self,
        keys: KeyRing,
        terms: LeaseTerms,
        claimed: ClaimedExports,
        *,
        fail: ReportFailed,
        defer: ReportDeferred,
        hold: ReportHeld,
    ) -> None:
        self._keys = keys
        self._terms = terms
        self._claimed = claimed
        self._fail = fail
        self._defer = defer
        self._hold = hold

    async def __call__(self, claimed: Claimed) -> Assignment | None:
        """What the worker gets; None when the export was ended or put off here instead."""
        export = claimed.export
        self._claimed.remember(export)
        try:
            document = await off_loop(len(claimed.content or ""), _document, claimed)
        except CountersignError as refusal:
            await self._end(export, AttemptError(refusal.reason, refusal.message))
            return None
        except (KeyError, TypeError, ValueError, AttributeError) as defect:
            await self._end(export, AttemptError("BAD_DOCUMENT", _sentence(defect)))
            return None
        try:
            access = open_access(claimed.connection, self._keys)
        except SecretsUnreadable as error:
            await self._put_off(claimed, AttemptError("SECRETS_UNREADABLE", _sentence(error)))
            return None
        return Assignment(
            export=export,
            document=document,
            connection=access,
            lease_seconds=self._terms.lease_seconds,
            last_attempt=self._is_last(claimed),
        )

    def _is_last(self, claimed: Claimed) -> bool:
        held = claimed.export.outcome_unknown_since is not None
        most = claimed.connection.max_attempts or self._terms.max_attempts
        return claimed.export.attempt >= most and not held

    async def _end(self, export: ExportRecord, error: AttemptError) -> None:
        try:
            await self._fail(_lease(export), error)
        except LeaseLost:
            return  # whoever has it now comes to the same end

    async def _put_off(self, claimed: Claimed, error: AttemptError) -> None:
        export = claimed.export
        try:
            if export.staged_name is not None:
                await self._hold(_lease(export), error)
            elif self._is_last(claimed):
                await self._fail(_lease(export), error)
            else:
                await self._defer(_lease(export), error)
        except LeaseLost:
            return  # whoever has it now tries the same


def open_access(connection: ConnectionRow, keys: KeyRing) -> ConnectionAccess:
    """The connection with its secrets open.

    Raises:
        SecretsUnreadable: the key ring cannot open them.
    """
    owner = Owner(connection.org_id, connection.id)
    return ConnectionAccess(
        org_id=connection.org_id,
        id=connection.id,
        connector_type=connection.connector_type,
        config=connection.config,
        version=connection.version,
        secrets=open_secrets(connection.secrets, keys, owner),
        concurrency=connection.concurrency,
    )


def _document(claimed: Claimed) -> bytes:
    """The document; empty where a staged file only waits for its rename and none can be built.

    What is staged needs no document any more, so a refusal must not stand in its way.
    """
    try:
        return _approved_document(claimed)
    except (CountersignError, KeyError, TypeError, ValueError, AttributeError):
        if claimed.export.staged_name is None:
            raise
        return b""


def _approved_document(claimed: Claimed) -> bytes:
    if claimed.content is None:
        raise CountersignError(
            Reason.CONTENT_DIGEST_MISMATCH, "The content that was approved is not stored"
        )
    return build_document(claimed.content, claimed.export.facts(), claimed.export.document_builder)


def _lease(export: ExportRecord) -> Lease:
    return Lease(export.org_id, export.id, export.fence)


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:1000]
