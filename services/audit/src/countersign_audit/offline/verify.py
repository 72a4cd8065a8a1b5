"""The offline verifier: an exported file, its checkpoints and the public key; nothing else."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from countersign_audit.event import Link
from countersign_audit.offline.export_file import End, Line, end_of, lines_of
from countersign_audit.offline.file_check import FileCheck
from countersign_audit.offline.report import FileFlaw, Report
from countersign_audit.offline.vouchers import Vouchers
from countersign_audit.seal_keys import PublicKeys
from countersign_platform.auth.minting import public_jwk

# How often progress is told.
_LINES_PER_WORD = 500


def verify_files(
    events: Path,
    checkpoints: Path | None = None,
    keys: PublicKeys | None = None,
    on_progress: Callable[[int], None] = lambda _bytes: None,
) -> Report:
    """Checks an export against its own hashes and, where given, against signed checkpoints.

    Args:
        events: JSON lines or CloudEvents, as exported.
        checkpoints: the seals of the org, one per line: checkpoints and tombstones.
        keys: public keys of the audit service; needed with `checkpoints`.
        on_progress: told now and then how many bytes of `events` were checked.

    Raises:
        OSError: a file cannot be read.
    """
    end = end_of(events)
    org_id = _org_of(events, end)
    if org_id is None:
        return Report(flaw=FileFlaw("events", 1, "the file holds no event and no end record"))
    vouchers = None if checkpoints is None else Vouchers()
    if checkpoints is not None and vouchers is not None:
        with checkpoints.open("rb") as lines:
            flaw = vouchers.read(lines, org_id, keys or PublicKeys({}))
        if flaw is not None:
            return Report(org_id=str(org_id), flaw=flaw)
    check = FileCheck(org_id, end, vouchers)
    with ExitStack() as opened:
        file = opened.enter_context(events.open("rb"))
        for line in check.run(lines_of(file)):
            if line.number % _LINES_PER_WORD == 0:
                on_progress(line.ends_at)
    return check.report


def read_public_keys(path: Path) -> PublicKeys:
    """The keys in a file: a JSON Web Key Set, or one public key in PEM.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no such keys.
    """
    text = path.read_bytes()
    if not text.lstrip().startswith(b"-----BEGIN"):
        return PublicKeys.from_jwks(text)
    key = load_pem_public_key(text)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("must be an Ed25519 public key")  # noqa: TRY004 — content, not type
    return PublicKeys({str(public_jwk(key)["kid"]): key})


def _org_of(events: Path, end: End | None) -> UUID | None:
    """The org of the first event that can be read; else that of the end record."""
    with events.open("rb") as file:
        first = next((line for line in lines_of(file) if _is_event(line)), None)
    if first is not None and isinstance(first.holds, Link):
        return first.holds.event.org_id
    try:
        return UUID(end.org_id) if end else None
    except ValueError:
        return None


def _is_event(line: Line) -> bool:
    return isinstance(line.holds, Link)
