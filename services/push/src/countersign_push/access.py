"""Which roles may call what; the comments of the RPCs in the protos say the same."""

from collections.abc import Mapping

from countersign_core.roles import ADMINS, INTEGRATORS, OPERATORS, READERS, WORKERS, Role

_PUSH = "/countersign.push.v1.PushService/"
_CONNECTION = "/countersign.push.v1.ConnectionService/"
_WORK = "/countersign.push.v1.WorkService/"

ACCESS: Mapping[str, frozenset[Role]] = {
    _PUSH + "PushDraft": OPERATORS,
    _PUSH + "RetryPush": OPERATORS,
    _PUSH + "BatchPushDrafts": OPERATORS,
    _PUSH + "GetExport": READERS,
    _PUSH + "ListExports": READERS,
    _PUSH + "GetExportStatistics": READERS,
    _PUSH + "PreviewExport": READERS,
    _PUSH + "ExpediteExport": OPERATORS,
    _PUSH + "CancelExport": OPERATORS,
    _PUSH + "GetExportDocument": READERS,
    _PUSH + "ResolveExport": ADMINS,
    _CONNECTION + "CreateConnection": INTEGRATORS,
    _CONNECTION + "GetConnection": READERS,
    _CONNECTION + "ListConnections": READERS,
    _CONNECTION + "UpdateConnection": INTEGRATORS,
    _CONNECTION + "PauseConnection": INTEGRATORS | OPERATORS,
    _CONNECTION + "ResumeConnection": INTEGRATORS | OPERATORS,
    _CONNECTION + "ListConnectors": READERS,
    _CONNECTION + "DisableConnection": INTEGRATORS,
    _CONNECTION + "TestConnection": INTEGRATORS,
    _WORK + "ClaimExport": WORKERS,
    _WORK + "ClaimNext": WORKERS,
    _WORK + "RenewLease": WORKERS,
    _WORK + "ReleaseLease": WORKERS,
    _WORK + "ReportStaged": WORKERS,
    _WORK + "ReportSent": WORKERS,
    _WORK + "ReportFailed": WORKERS,
    _WORK + "ReportDeferred": WORKERS,
    _WORK + "ReportHeld": WORKERS,
    _WORK + "BatchReport": WORKERS,
    _WORK + "ReportAck": WORKERS,
    _WORK + "ReviewLeftovers": WORKERS,
    _WORK + "ListDropzones": WORKERS,
    _WORK + "ClaimAckPolls": WORKERS,
    _WORK + "ReportAckPoll": WORKERS,
    _WORK + "ReportConnectionHealth": WORKERS,
    _WORK + "AnnounceConnectors": WORKERS,
    _WORK + "ClaimConnectionTest": WORKERS,
    _WORK + "ReportConnectionTest": WORKERS,
}
