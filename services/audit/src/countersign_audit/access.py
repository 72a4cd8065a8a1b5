"""Who may call what; a method that is not listed here is not served."""

from countersign_core.roles import ADMINS, INTEGRATORS, READERS, RELAYS

SERVICE = "countersign.audit.v1.AuditService"
SEALS = "countersign.audit.v1.SealService"

ACCESS = {
    f"/{SERVICE}/AppendEvents": RELAYS,
    f"/{SERVICE}/ListEvents": READERS,
    f"/{SERVICE}/ExportEvents": INTEGRATORS,
    f"/{SERVICE}/VerifyChain": INTEGRATORS,
    f"/{SEALS}/ListCheckpoints": INTEGRATORS,
    f"/{SEALS}/ListSealKeys": READERS,
    f"/{SEALS}/GetLegalHold": INTEGRATORS,
    f"/{SEALS}/SetLegalHold": ADMINS,
}
